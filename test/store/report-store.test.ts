import "./report-suite.ts";
