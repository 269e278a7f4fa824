'use strict';
// Resolution of import in layers: a bare name is looked up as the importing
// module sees it, then in each layer, then in the SDK of the runtime.

const BARE = /^(?![./]|node:|file:|data:)/;
const SDK = 'file:///node_modules/';

let parents = [];

// initialize receives the layers when Node.js runs this in its loader thread.
exports.initialize = (list) => {
  parents = list;
};

exports.resolve = async (specifier, context, next) => {
  if (!BARE.test(specifier)) return next(specifier, context);
  let first;
  for (const parentURL of [context.parentURL, ...parents]) {
    try {
      const found = await next(specifier, { ...context, parentURL });
      if (!found.url.startsWith(SDK)) return found;
      first ??= found;
    } catch (e) {
      if (parentURL === context.parentURL && e.code !== 'ERR_MODULE_NOT_FOUND') throw e;
    }
  }
  return first ?? next(specifier, context);
};

// resolver is the same for the main thread, where hooks are synchronous.
exports.resolver = (list) => (specifier, context, next) => {
  if (!BARE.test(specifier) || context.conditions?.includes('require')) return next(specifier, context);
  let first;
  for (const parentURL of [context.parentURL, ...list]) {
    try {
      const found = next(specifier, { ...context, parentURL });
      if (!found.url.startsWith(SDK)) return found;
      first ??= found;
    } catch (e) {
      if (parentURL === context.parentURL && e.code !== 'ERR_MODULE_NOT_FOUND') throw e;
    }
  }
  return first ?? next(specifier, context);
};
