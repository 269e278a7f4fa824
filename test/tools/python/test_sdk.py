"""boto3 against a node, as AWS_ENDPOINT_URL and its credentials name it."""

import io
import json
import os
import time
import unittest
import zipfile

import boto3
from botocore.config import Config

ECHO = """
def handler(event, context):
    print("greeting", event["name"])
    return {"name": event["name"], "left": context.get_remaining_time_in_millis() > 0}
"""

# boto3 of this age does not read AWS_ENDPOINT_URL by itself.
CALLER = """
import os
import boto3
from botocore.exceptions import ClientError

client = boto3.client("lambda", endpoint_url=os.environ["AWS_ENDPOINT_URL"])


def handler(event, context):
    try:
        client.list_functions()
    except ClientError as error:
        return error.response
    return "allowed"
"""


def client(service):
    return boto3.client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=Config(retries={"total_max_attempts": 1}))


def package(source):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("lambda_function.py", source)
    return out.getvalue()


class SDKTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.functions, cls.logs = client("lambda"), client("logs")
        for name, source in (("echo", ECHO), ("caller", CALLER)):
            cls.functions.create_function(
                FunctionName=name, Runtime="python3.11", Handler="lambda_function.handler", Role=os.environ["ROLE"],
                Code={"ZipFile": package(source)}, MemorySize=512, Timeout=60,
            )
            cls.functions.get_waiter("function_active_v2").wait(FunctionName=name)

    def invoke(self, name, event):
        out = self.functions.invoke(FunctionName=name, Payload=json.dumps(event))
        return json.load(out["Payload"]), out.get("FunctionError")

    def test_invoke_answers(self):
        self.assertEqual(self.invoke("echo", {"name": "Ada"}), ({"name": "Ada", "left": True}, None))
        answer, error = self.invoke("echo", {})
        self.assertEqual((answer["errorType"], answer["errorMessage"], error), ("KeyError", "'name'", "Unhandled"))

    def test_errors_are_of_their_classes(self):
        with self.assertRaises(self.functions.exceptions.ResourceNotFoundException) as caught:
            self.functions.invoke(FunctionName="nobody")
        self.assertEqual(caught.exception.response["Type"], "User")
        with self.assertRaises(self.logs.exceptions.ResourceNotFoundException):
            self.logs.describe_log_streams(logGroupName="none")

    def test_log_of_a_function(self):
        self.invoke("echo", {"name": "Grace"})
        deadline = time.monotonic() + 20
        messages = []
        while not messages and time.monotonic() < deadline:
            pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName="/aws/lambda/echo", filterPattern="Grace")
            try:
                messages = [e["message"].rstrip("\n") for page in pages for e in page["events"]]
            except self.logs.exceptions.ResourceNotFoundException:
                time.sleep(0.05)  # the group is made with the first line that is shipped
        self.assertEqual(messages, ["greeting Grace"])

    def test_a_function_may_do_nothing_that_its_role_does_not_allow(self):
        answer, error = self.invoke("caller", {})
        self.assertIsNone(error, answer)
        self.assertEqual(answer["Error"]["Code"], "AccessDeniedException", answer)
        self.assertRegex(answer["Error"]["Message"], "assumed-role/test/caller is not authorized to perform: lambda:ListFunctions")


if __name__ == "__main__":
    unittest.main()
