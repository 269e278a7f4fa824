package mayfly.runtime;

import java.lang.reflect.Field;
import java.util.HashSet;
import java.util.Map;

/**
 * The process's environment as Java code sees it, replaced after the start: the
 * map behind System.getenv and ProcessBuilder.environment. A process started
 * without touching the latter gets the environment this one was booted with,
 * which Java can't change.
 */
final class Environment {
  /** Where AWS's SDKs look for the trace of a call. */
  private static final String TRACE_PROPERTY = "com.amazonaws.xray.traceHeader";

  private static Map<String, String> live;

  private Environment() {}

  static void set(Map<String, String> env) {
    Map<String, String> map = live();
    for (String name : new HashSet<>(map.keySet())) if (!env.containsKey(name)) map.remove(name);
    map.putAll(env);
  }

  static void trace(String id) {
    if (id == null) {
      System.clearProperty(TRACE_PROPERTY);
      live().remove("_X_AMZN_TRACE_ID");
    } else {
      System.setProperty(TRACE_PROPERTY, id);
      live().put("_X_AMZN_TRACE_ID", id);
    }
  }

  @SuppressWarnings("unchecked")
  private static Map<String, String> live() {
    if (live != null) return live;
    try {
      Map<String, String> fixed = System.getenv();
      Field inner = fixed.getClass().getDeclaredField("m");
      inner.setAccessible(true);
      return live = (Map<String, String>) inner.get(fixed);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Java does not let its environment be set", e);
    }
  }
}
