"""The context object of a call."""

import json
import logging
import sys
import time

from handler import Fault

_names = {}


def configure(env):
    """Take what is the same for every call from the environment."""
    for attribute, variable in (
        ("log_group_name", "AWS_LAMBDA_LOG_GROUP_NAME"),
        ("log_stream_name", "AWS_LAMBDA_LOG_STREAM_NAME"),
        ("function_name", "AWS_LAMBDA_FUNCTION_NAME"),
        ("memory_limit_in_mb", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        ("function_version", "AWS_LAMBDA_FUNCTION_VERSION"),
    ):
        _names[attribute] = env.get(variable)


class _Record:
    """An object of the attributes named by its class, None where not given."""

    __slots__ = ()

    def __init__(self, values):
        for name in self.__slots__:
            setattr(self, name, values.get(name))

    def __repr__(self):
        inside = ",".join(f"{n}={getattr(self, n)}" for n in self.__slots__)
        return f"{type(self).__name__}([{inside}])"


class CognitoIdentity(_Record):
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(_Record):
    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class ClientContext(_Record):
    __slots__ = ("custom", "env", "client")


class LambdaContext:
    def __init__(self, request_id, meta):
        self.aws_request_id = request_id
        self.__dict__.update(_names)
        self.invoked_function_arn = meta.get("arn")
        self.tenant_id = None
        self.client_context = None
        client = _parse(meta.get("clientContext"), "Client Context")
        if client is not None:
            self.client_context = ClientContext(client)
            if self.client_context.client is not None:
                self.client_context.client = Client(self.client_context.client)
        identity = _parse(meta.get("identity"), "Cognito Identity") or {}
        self.identity = CognitoIdentity({
            "cognito_identity_id": identity.get("cognitoIdentityId"),
            "cognito_identity_pool_id": identity.get("cognitoIdentityPoolId"),
        })
        self._epoch_deadline_time_in_ms = meta["deadlineMs"]

    def get_remaining_time_in_millis(self):
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def log(self, msg):
        for target in logging.getLogger().handlers:
            if hasattr(target, "write_line"):
                target.write_line(str(msg))
                return
        sys.stdout.write(str(msg))

    def __repr__(self):
        shown = (
            "aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
            "function_version", "invoked_function_arn", "client_context", "identity", "tenant_id",
        )
        return "LambdaContext([" + ",".join(f"{n}={getattr(self, n)}" for n in shown) + "])"


Context = LambdaContext


def _parse(text, name):
    if not text:
        return None
    try:
        return json.loads(text)
    except Exception as exc:
        raise Fault("Runtime.LambdaContextUnmarshalError", f"Unable to parse {name} JSON: {exc}")
