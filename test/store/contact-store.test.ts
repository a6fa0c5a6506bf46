import "./suites/contact-suite.ts";
