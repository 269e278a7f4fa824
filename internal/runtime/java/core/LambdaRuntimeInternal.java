package com.amazonaws.services.lambda.runtime;

/** A switch that the appender for Log4j turns. */
public final class LambdaRuntimeInternal {
  private static volatile boolean log4j;

  private LambdaRuntimeInternal() {}

  public static void setUseLog4jAppender(boolean use) {
    log4j = use;
  }

  public static boolean getUseLog4jAppender() {
    return log4j;
  }
}
