import "./dashboard-suite.ts";
