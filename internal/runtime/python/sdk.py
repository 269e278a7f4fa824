"""boto3 as functions expect it: there without packaging it, as in AWS's images, and
one that finds the node.

Only boto3 and what it needs is found in the folder of the SDK, which may be the
system's with much else in it, and only after everything on the path. Versions that
don't read AWS_ENDPOINT_URL yet, the function's own or the SDK's, are taught to.
"""

import importlib.machinery
import os
import sys

# Debian's botocore imports requests, and what that imports comes with it.
_NAMES = frozenset((
    "boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six",
    "requests", "certifi", "charset_normalizer", "chardet", "idna",
))


class _Finder:
    def __init__(self, folder):
        self.path = [folder]

    def find_spec(self, name, path=None, target=None):
        if path is None and name in _NAMES:
            return importlib.machinery.PathFinder.find_spec(name, self.path)
        return None


class _Teacher:
    """Steps in where botocore.session is imported, and into nothing else."""

    def find_spec(self, name, path=None, target=None):
        if name != "botocore.session":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Taught(spec.loader)
        return spec


class _Taught:
    def __init__(self, loader):
        self.loader = loader

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        self.loader.exec_module(module)
        try:
            _teach(module)
        except Exception:  # a botocore of another make is left as it is
            pass


def _teach(module):
    if hasattr(module, "ConfiguredEndpointProvider"):
        return  # 1.31 and later read the variables themselves
    create = module.Session.create_client

    def create_client(self, service_name, region_name=None, api_version=None,
                      use_ssl=True, verify=None, endpoint_url=None, *args, **kwargs):
        if endpoint_url is None:
            # https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
            own = service_name.upper().replace("-", "_").replace(" ", "_")
            endpoint_url = (os.environ.get("AWS_ENDPOINT_URL_" + own)
                            or os.environ.get("AWS_ENDPOINT_URL") or None)
        return create(self, service_name, region_name, api_version, use_ssl, verify,
                      endpoint_url, *args, **kwargs)

    module.Session.create_client = create_client


def serve_from(folder):
    sys.meta_path.append(_Finder(folder))


def find_the_node():
    sys.meta_path.insert(0, _Teacher())
