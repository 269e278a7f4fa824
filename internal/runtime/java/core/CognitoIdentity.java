package com.amazonaws.services.lambda.runtime;

/** Who called through Cognito. */
public interface CognitoIdentity {
  String getIdentityId();

  String getIdentityPoolId();
}
