package com.amazonaws.services.lambda.runtime.logging;

import java.util.Locale;

/** What log lines look like. */
public enum LogFormat {
  JSON,
  TEXT;

  public static LogFormat fromString(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT));
  }
}
