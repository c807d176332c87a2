#!/usr/bin/env -S node --disable-proto=throw --disallow-code-generation-from-strings
import '../dist/main.js';
