"""From a handler string, "package/module.function", to the function."""

import builtins
import importlib
import sys


class Fault(Exception):
    """An error that AWS's runtimes name: kind is "Runtime.HandlerNotFound"."""

    def __init__(self, kind, message, trace=None):
        super().__init__(message)
        self.kind, self.message, self.trace = kind, message, trace


def set_path(task_root, python_path):
    """Put code, layers and PYTHONPATH before the standard library."""
    major, minor = sys.version_info[:2]
    first = [task_root, f"/opt/python/lib/python{major}.{minor}/site-packages", "/opt/python"]
    first += [p for p in python_path.split(":") if p and p not in first]
    sys.path[:] = first + [p for p in sys.path if p not in first]
    # What the site module gives an interactive Python, code may expect as well.
    builtins.exit = builtins.quit = sys.exit


def load(name):
    """Import the module and return the function."""
    module, dot, function = name.rpartition(".")
    if not dot:
        raise Fault(
            "Runtime.MalformedHandlerName",
            f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)",
        )
    if module.split(".")[0] in sys.builtin_module_names:
        raise Fault(
            "Runtime.BuiltInModuleConflict",
            f"Cannot use built-in module {module} as a handler module",
        )
    try:
        loaded = importlib.import_module(module.replace("/", "."))
    except ImportError as exc:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module}': {exc}")
    except SyntaxError as exc:
        where = f'  File "{exc.filename}" Line {exc.lineno}\n    {exc.text}'
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {exc}", [where])
    try:
        return getattr(loaded, function)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module}'")
