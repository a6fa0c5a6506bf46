import "./suites/push-suite.ts";
