'use strict';
// What the runtime calls before it has a function: see warm in bootstrap.js.
exports.handler = async (event) => event;
