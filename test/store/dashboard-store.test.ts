import "./suites/dashboard-suite.ts";
