package mayfly.runtime;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** From a handler string, "pkg.Class::method" or "pkg.Class", to code to call. */
final class Handlers {
  private static final String CORE = "com.amazonaws.services.lambda.runtime.";
  private static final String CONTEXT = CORE + "Context";

  private Handlers() {}

  /** Answers a payload: a part of an array in, the whole answer out. */
  interface Handler {
    byte[] handle(byte[] body, int off, int len, Invocation call) throws Throwable;
  }

  /** An error of the configuration rather than of the code. */
  static final class Fault extends RuntimeException {
    private static final long serialVersionUID = 1;

    final String type;

    Fault(String message, String type) {
      super(message, null, false, false);
      this.type = type;
    }
  }

  static Handler load(String name, String taskRoot) throws Throwable {
    String[] parts = name.split("::", -1);
    if (parts.length > 2 || parts[0].isEmpty()) throw new Fault("Invalid handler: `" + name + "'", null);
    ClassLoader loader = new URLClassLoader(classPath(taskRoot), ClassLoader.getPlatformClassLoader());
    Thread.currentThread().setContextClassLoader(loader);
    Class<?> type;
    try {
      type = Class.forName(parts[0], true, loader);
    } catch (ClassNotFoundException e) {
      throw new Fault("Class not found: " + parts[0], e.getClass().getName());
    } catch (LinkageError e) {
      Throwable cause = e instanceof ExceptionInInitializerError && e.getCause() != null ? e.getCause() : e;
      String why = cause.getMessage() == null ? "" : ": " + cause.getMessage();
      throw new Fault("Error loading class " + parts[0] + why, cause.getClass().getName());
    }
    return of(type, parts.length == 2 ? parts[1] : "");
  }

  /** The handler a class is: by the name of a method, or by its interface. */
  static Handler of(Class<?> type, String method) throws Throwable {
    return method.isEmpty() ? byInterface(type) : byMethod(type, method);
  }

  /**
   * The code, its jars, and those of layers; and last, so that a copy of the
   * function's own comes first, aws-lambda-java-core for code without one.
   */
  private static URL[] classPath(String taskRoot) throws MalformedURLException {
    List<URL> path = new ArrayList<>();
    path.add(new File(taskRoot + "/").toURI().toURL());
    for (String dir : new String[] {taskRoot + "/lib", "/opt/java/lib"}) {
      File[] jars = new File(dir).listFiles((d, n) -> n.endsWith(".jar"));
      if (jars == null) continue;
      Arrays.sort(jars);
      for (File jar : jars) path.add(jar.toURI().toURL());
    }
    path.add(new URL(Handlers.class.getProtectionDomain().getCodeSource().getLocation(), "core.jar"));
    return path.toArray(URL[]::new);
  }

  private static Handler byInterface(Class<?> type) throws Throwable {
    for (Class<?> i : Types.interfacesOf(type)) {
      boolean stream = i.getName().equals(CORE + "RequestStreamHandler");
      if (!stream && !i.getName().equals(CORE + "RequestHandler")) continue;
      Method method = Arrays.stream(i.getMethods()).filter(m -> m.getName().equals("handleRequest")).findFirst().orElseThrow();
      Type[] params = method.getGenericParameterTypes();
      Type in = Types.resolve(params[0], type);
      Type out = stream ? void.class : Types.resolve(method.getGenericReturnType(), type);
      return new Call(method, instance(type), in, out);
    }
    throw new Fault("Class does not implement an appropriate handler interface: " + type.getName(), null);
  }

  /** The overload AWS would take: the longest, and with a context before without. */
  private static Handler byMethod(Class<?> type, String name) throws Throwable {
    List<Method> fit = Arrays.stream(type.getMethods())
        .filter(m -> m.getName().equals(name) && suits(m.getParameterTypes()))
        .sorted(Comparator.comparing(Method::isBridge).thenComparing(m -> -weight(m))).toList();
    if (fit.isEmpty()) {
      throw new Fault("No public method named " + name
          + " with appropriate method signature found on class " + type.getName(), null);
    }
    Method m = fit.get(0);
    Object target = Modifier.isStatic(m.getModifiers()) ? null : instance(type);
    Type[] params = m.getGenericParameterTypes();
    Type in = params.length == 0 || isContext(m.getParameterTypes()[0]) ? null : Types.resolve(params[0], type);
    return new Call(m, target, in, Types.resolve(m.getGenericReturnType(), type));
  }

  private static boolean suits(Class<?>[] p) {
    return switch (p.length) {
      case 0, 1 -> true;
      case 2 -> !isContext(p[0])
          && (isContext(p[1]) || p[0] == InputStream.class && p[1] == OutputStream.class);
      case 3 -> p[0] == InputStream.class && p[1] == OutputStream.class && isContext(p[2]);
      default -> false;
    };
  }

  private static int weight(Method m) {
    Class<?>[] p = m.getParameterTypes();
    return p.length + (p.length > 0 && isContext(p[p.length - 1]) ? 1 : 0);
  }

  static boolean isContext(Class<?> c) {
    return c.getName().equals(CONTEXT);
  }

  private static Object instance(Class<?> type) throws Throwable {
    try {
      return type.getConstructor().newInstance();
    } catch (NoSuchMethodException e) {
      boolean inner = type.getEnclosingClass() != null && !Modifier.isStatic(type.getModifiers());
      throw new Fault("Class " + type.getName() + (inner
          ? " cannot be instantiated because it is a non-static inner class"
          : " has no public zero-argument constructor"), "java.lang.Exception");
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  /** A method of the code with its payload types. */
  private static final class Call implements Handler {
    private final Method method;
    private final Object target;
    private final Type in;
    private final Type out;
    private final Class<?>[] params;
    private final boolean streams;

    Call(Method method, Object target, Type in, Type out) {
      this.method = method;
      this.target = target;
      this.in = in;
      this.out = out;
      this.params = method.getParameterTypes();
      this.streams = Arrays.asList(params).contains(OutputStream.class);
      method.setAccessible(true);
    }

    @Override
    public byte[] handle(byte[] body, int off, int len, Invocation call) throws Throwable {
      ByteArrayOutputStream sink = streams ? new ByteArrayOutputStream(1024) : null;
      Object[] args = new Object[params.length];
      for (int i = 0; i < args.length; i++) {
        if (params[i] == InputStream.class) args[i] = new ByteArrayInputStream(body, off, len);
        else if (params[i] == OutputStream.class) args[i] = sink;
        else if (isContext(params[i])) args[i] = call.context(params[i]);
        else args[i] = read(body, off, len);
      }
      Object result;
      try {
        result = method.invoke(target, args);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
      return streams ? sink.toByteArray() : write(result);
    }

    private Object read(byte[] body, int off, int len) {
      try {
        return Bind.to(in, Json.parse(body, off, off + len));
      } catch (RuntimeException e) {
        throw new RuntimeException("An error occurred during JSON parsing", e);
      }
    }

    private byte[] write(Object result) throws IOException {
      if (out == void.class || out == Void.class) return Json.write(null);
      try {
        return Json.write(result);
      } catch (RuntimeException | StackOverflowError e) {
        throw new RuntimeException("An error occurred during JSON serialization of response", e);
      }
    }
  }
}
