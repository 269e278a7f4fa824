package mayfly.runtime;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * One call, and the context object of it. The interface of that object comes
 * with the function's code, so it is made as a proxy for whatever version of
 * com.amazonaws.services.lambda.runtime.Context is there.
 */
final class Invocation {
  /** What is the same for every call. */
  record Function(String name, String version, String logGroup, String logStream, int memory) {
    static Function of(Map<String, String> env) {
      return new Function(env.get("AWS_LAMBDA_FUNCTION_NAME"), env.get("AWS_LAMBDA_FUNCTION_VERSION"),
          env.get("AWS_LAMBDA_LOG_GROUP_NAME"), env.get("AWS_LAMBDA_LOG_STREAM_NAME"),
          Integer.parseInt(env.getOrDefault("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "0")));
    }
  }

  final String requestId;
  final String traceId;
  private final Function function;
  private final Map<?, ?> meta;
  private final Log log;

  Invocation(Function function, String requestId, Object meta, Log log) {
    this.function = function;
    this.requestId = requestId;
    this.meta = (Map<?, ?>) meta;
    this.log = log;
    this.traceId = (String) this.meta.get("traceId");
  }

  /** The context as the given interface. */
  Object context(Class<?> type) {
    Map<String, Object> v = new HashMap<>();
    v.put("getAwsRequestId", requestId);
    v.put("getLogGroupName", function.logGroup);
    v.put("getLogStreamName", function.logStream);
    v.put("getFunctionName", function.name);
    v.put("getFunctionVersion", function.version);
    v.put("getInvokedFunctionArn", meta.get("arn"));
    v.put("getMemoryLimitInMB", function.memory);
    v.put("getXrayTraceId", traceId);
    long deadline = ((Number) meta.get("deadlineMs")).longValue();
    v.put("getRemainingTimeInMillis",
        (Supplier<Integer>) () -> (int) Math.max(0, deadline - System.currentTimeMillis()));
    v.put("getIdentity", identity());
    v.put("getClientContext", clientContext());
    v.put("getLogger", Map.of());
    return proxy(type, v);
  }

  private Map<String, Object> identity() {
    Map<?, ?> in = json("identity");
    Map<String, Object> v = new HashMap<>();
    if (in != null) {
      v.put("getIdentityId", in.get("cognitoIdentityId"));
      v.put("getIdentityPoolId", in.get("cognitoIdentityPoolId"));
    }
    return v;
  }

  private Map<String, Object> clientContext() {
    Map<?, ?> in = json("clientContext");
    if (in == null) return null;
    Map<String, Object> v = new HashMap<>();
    v.put("getCustom", in.get("custom"));
    v.put("getEnvironment", in.get("env"));
    if (in.get("client") instanceof Map<?, ?> client) {
      Map<String, Object> c = new HashMap<>();
      c.put("getInstallationId", client.get("installation_id"));
      c.put("getAppTitle", client.get("app_title"));
      c.put("getAppVersionName", client.get("app_version_name"));
      c.put("getAppVersionCode", client.get("app_version_code"));
      c.put("getAppPackageName", client.get("app_package_name"));
      v.put("getClient", c);
    }
    return v;
  }

  private Map<?, ?> json(String name) {
    if (!(meta.get(name) instanceof String text) || text.isEmpty()) return null;
    byte[] b = text.getBytes(StandardCharsets.UTF_8);
    return Json.parse(b, 0, b.length) instanceof Map<?, ?> m ? m : null;
  }

  /** An object whose getters give the values of a map, nested where they return interfaces. */
  private Object proxy(Class<?> type, Map<String, Object> values) {
    InvocationHandler h = (self, method, args) -> answer(type, values, self, method, args);
    return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, h);
  }

  @SuppressWarnings("unchecked")
  private Object answer(Class<?> type, Map<String, Object> values, Object self, Method method, Object[] args)
      throws Throwable {
    String name = method.getName();
    switch (name) {
      case "toString":
        return type.getSimpleName() + values;
      case "hashCode":
        return System.identityHashCode(self);
      case "equals":
        return self == args[0];
      case "log":
        String text = args[0] instanceof byte[] b ? new String(b, StandardCharsets.UTF_8) : String.valueOf(args[0]);
        log.message(text, args.length > 1 ? String.valueOf(args[1]) : "UNDEFINED", this);
        return null;
      default:
    }
    Object v = values.get(name);
    if (v == null && method.isDefault() && !values.containsKey(name)) {
      return InvocationHandler.invokeDefault(self, method, args);
    }
    if (v instanceof Supplier<?> s) return s.get();
    Class<?> want = method.getReturnType();
    if (v instanceof Map<?, ?> m && want.isInterface() && want != Map.class) {
      return proxy(want, (Map<String, Object>) m);
    }
    return v;
  }
}
