import "./suites/audit-suite.ts";
