import "./history-suite.ts";
