package com.amazonaws.services.lambda.runtime;

import java.util.Map;

/** What a mobile application said of itself when it called. */
public interface ClientContext {
  Client getClient();

  Map<String, String> getCustom();

  Map<String, String> getEnvironment();
}
