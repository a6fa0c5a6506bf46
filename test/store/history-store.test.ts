import "./suites/history-suite.ts";
