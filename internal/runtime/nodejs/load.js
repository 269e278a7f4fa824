'use strict';
// From a handler string, "dir/file.nested.name", to the function.

const fs = require('fs');
const path = require('path');
const Module = require('module');
const { pathToFileURL } = require('url');
const errors = require('./errors');

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const SDK = '/node_modules';
const major = parseInt(process.versions.node, 10);

// userRequire resolves like code in the task root: the bootstrap itself lives
// elsewhere.
let userRequire = require;

// load finds and loads the handler. It throws the errors of AWS's runtimes.
async function load(root, handler) {
  if (handler.includes('..')) {
    throw new errors.MalformedHandlerName(
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const base = path.basename(handler);
  const dot = base.indexOf('.');
  if (dot < 0) throw new errors.MalformedHandlerName('Bad handler');
  const dir = handler.slice(0, handler.indexOf(base));
  userRequire = Module.createRequire(path.join(root, 'noop.js'));

  const app = await loadModule(root, dir, base.slice(0, dot));
  const fn = base.slice(dot + 1).split('.').reduce((o, key) => o && o[key], app);
  if (!fn) throw new errors.HandlerNotFound(`${handler} is undefined or not exported`);
  if (typeof fn !== 'function') throw new errors.HandlerNotFound(`${handler} is not a function`);
  return check(fn);
}

// check says whether the handler streams, and refuses what AWS refuses.
function check(fn) {
  const mark = fn[STREAMING];
  if (mark && mark !== 'response') {
    throw new errors.MalformedStreamingHandler('Only response streaming is supported.');
  }
  if (major >= 24 && !mark && fn.length >= 3) {
    throw new errors.CallbackHandlerDeprecated(
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. ' +
        'You need to modify this function to use a supported handler signature to use Node.js 24 or later.',
    );
  }
  return { fn, streaming: Boolean(mark), async: fn.constructor?.name === 'AsyncFunction' };
}

async function loadModule(root, dir, name) {
  try {
    return await loadFile(path.resolve(root, dir, name), root, dir, name);
  } catch (e) {
    if (e instanceof SyntaxError) {
      const err = new errors.UserCodeSyntaxError(e);
      err.stack = `${err.name}: ${e}\n${e.stack}`;
      throw err;
    }
    if (e?.code === 'MODULE_NOT_FOUND') throw new errors.ImportModuleError(e);
    throw e;
  }
}

// loadFile tries the file names in AWS's order: bare, .js, .mjs, .cjs, and
// TypeScript where Node.js strips types.
async function loadFile(file, root, dir, name) {
  if (isFile(file)) return userRequire(file);
  const esm = inModulePackage(path.dirname(file));
  if (isFile(file + '.js')) return esm ? importFile(file + '.js') : userRequire(file + '.js');
  if (isFile(file + '.mjs')) return importFile(file + '.mjs');
  if (isFile(file + '.cjs')) return userRequire(file + '.cjs');
  if (major >= 24) {
    if (isFile(file + '.ts')) return esm ? importFile(file + '.ts') : userRequire(file + '.ts');
    if (isFile(file + '.mts')) return importFile(file + '.mts');
    if (isFile(file + '.cts')) return userRequire(file + '.cts');
  }
  return userRequire(userRequire.resolve(name, { paths: [root, path.join(root, dir)] }));
}

function isFile(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

function importFile(file) {
  return import(pathToFileURL(file).href);
}

// inModulePackage says whether the nearest package.json has "type": "module".
function inModulePackage(dir) {
  for (; !dir.endsWith('/node_modules'); dir = path.dirname(dir)) {
    const file = path.join(dir, 'package.json');
    if (isFile(file)) {
      try {
        return JSON.parse(fs.readFileSync(file, 'utf8'))?.type === 'module';
      } catch (e) {
        console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, e);
        return false;
      }
    }
    if (dir === path.dirname(dir)) return false;
  }
  return false;
}

// usePaths makes NODE_PATH hold for this process, as if it had been set at the
// start. import ignores NODE_PATH, but AWS's runtimes resolve it there too, so
// the SDK is also mounted at /node_modules, where every lookup ends; require
// must not find it there, since a layer in NODE_PATH comes before it.
function usePaths() {
  Module._initPaths();
  const lookup = Module._nodeModulePaths;
  Module._nodeModulePaths = (from) => {
    const paths = lookup.call(Module, from);
    if (paths[paths.length - 1] === SDK) paths.pop();
    return paths;
  };
  const layers = Module.globalPaths.filter((p) => p.startsWith('/opt/') && fs.existsSync(p));
  if (layers.length) importFrom(layers);
}

// importFrom lets import find packages in layers. It costs milliseconds, so it
// is done only where there are some.
function importFrom(layers) {
  const parents = layers.map((p) => pathToFileURL(path.join(path.dirname(p), 'noop.js')).href);
  if (Module.registerHooks) Module.registerHooks({ resolve: require('./layers').resolver(parents) });
  else if (Module.register) {
    Module.register('./layers.js', { parentURL: pathToFileURL(__filename).href, data: parents });
  }
}

module.exports = { load, usePaths, STREAMING, major };
