import "./suites/newer-words-suite.ts";
