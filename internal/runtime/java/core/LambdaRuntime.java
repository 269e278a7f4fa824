package com.amazonaws.services.lambda.runtime;

import java.nio.charset.StandardCharsets;

/** The logger of code that has no context at hand. */
public final class LambdaRuntime {
  private static final LambdaLogger LOGGER =
      new LambdaLogger() {
        @Override
        public void log(String message) {
          log(String.valueOf(message).getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public void log(byte[] message) {
          System.out.write(message, 0, message.length);
          System.out.flush();
        }
      };

  private LambdaRuntime() {}

  public static LambdaLogger getLogger() {
    return LOGGER;
  }
}
