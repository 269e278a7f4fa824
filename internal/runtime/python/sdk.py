"""boto3 without packaging it, as in AWS's images: only it and what it needs is
found in the folder of the SDK, which may be the system's with much else in it,
and only after everything on the path.
"""

import importlib.machinery
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


def serve_from(folder):
    sys.meta_path.append(_Finder(folder))
