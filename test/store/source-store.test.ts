import "./suites/source-suite.ts";
