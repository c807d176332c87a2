#!/bin/sh
@CONFIG@exec @LIB@/node @FLAGS@@LIB@/program/@NAME@.js "$@"
