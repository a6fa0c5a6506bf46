import "./suites/report-suite.ts";
