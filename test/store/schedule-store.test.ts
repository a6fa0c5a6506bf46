import "./suites/schedule-suite.ts";
