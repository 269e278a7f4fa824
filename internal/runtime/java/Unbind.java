package mayfly.runtime;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Writes any object as JSON: beans and records by their properties. */
final class Unbind {
  private static final char[] HEX = "0123456789abcdef".toCharArray();
  private static final Map<Class<?>, Map<String, Getter>> properties = new ConcurrentHashMap<>();

  private final StringBuilder b;

  /** Reads one property of an object. */
  interface Getter {
    Object get(Object o) throws ReflectiveOperationException;
  }

  Unbind(StringBuilder b) {
    this.b = b;
  }

  void value(Object v) {
    if (v == null) b.append("null");
    else if (v instanceof String s) string(s);
    else if (v instanceof Boolean) b.append(v);
    else if (v instanceof Number n) number(n);
    else if (v instanceof Map<?, ?> m) map(m);
    else if (v instanceof Iterable<?> i) list(i);
    else if (v instanceof Enum<?> e) string(e.name());
    else if (v instanceof Optional<?> o) value(o.orElse(null));
    else if (v instanceof byte[] bytes) string(Base64.getEncoder().encodeToString(bytes));
    else if (v instanceof ByteBuffer buf) string(Base64.getEncoder().encodeToString(bytes(buf)));
    else if (v instanceof Date d) b.append(d.getTime());
    else if (v.getClass().isArray()) array(v);
    else if (isText(v)) string(v.toString());
    else bean(v);
  }

  private static boolean isText(Object v) {
    String name = v.getClass().getName();
    return v instanceof CharSequence || v instanceof Character || v instanceof Class
        || name.startsWith("java.time.") || name.startsWith("java.util.UUID") || name.startsWith("java.net.UR")
        || name.startsWith("java.io.File") || name.startsWith("java.util.Locale");
  }

  private static byte[] bytes(ByteBuffer buf) {
    byte[] out = new byte[buf.remaining()];
    buf.duplicate().get(out);
    return out;
  }

  private void number(Number n) {
    boolean odd = n instanceof Double d && !Double.isFinite(d) || n instanceof Float f && !Float.isFinite(f);
    if (odd) string(n.toString());
    else b.append(n);
  }

  private void map(Map<?, ?> m) {
    String sep = "{";
    for (Map.Entry<?, ?> e : m.entrySet()) {
      b.append(sep);
      string(e.getKey() instanceof Enum<?> k ? k.name() : String.valueOf(e.getKey()));
      b.append(':');
      value(e.getValue());
      sep = ",";
    }
    b.append(sep.equals("{") ? "{}" : "}");
  }

  private void list(Iterable<?> list) {
    String sep = "[";
    for (Object o : list) {
      b.append(sep);
      value(o);
      sep = ",";
    }
    b.append(sep.equals("[") ? "[]" : "]");
  }

  private void array(Object a) {
    b.append('[');
    for (int i = 0; i < Array.getLength(a); i++) {
      if (i > 0) b.append(',');
      value(Array.get(a, i));
    }
    b.append(']');
  }

  private void bean(Object o) {
    Map<String, Object> values = new LinkedHashMap<>();
    for (Map.Entry<String, Getter> p : properties.computeIfAbsent(o.getClass(), Unbind::propertiesOf).entrySet()) {
      try {
        values.put(p.getKey(), p.getValue().get(o));
      } catch (InvocationTargetException e) {
        throw new IllegalStateException("property " + p.getKey() + " of " + o.getClass().getName(), e.getCause());
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("property " + p.getKey() + " of " + o.getClass().getName(), e);
      }
    }
    map(values);
  }

  private static Map<String, Getter> propertiesOf(Class<?> type) {
    Map<String, Getter> found = new LinkedHashMap<>();
    if (type.isRecord()) {
      for (RecordComponent c : type.getRecordComponents()) {
        c.getAccessor().setAccessible(true);
        found.put(c.getName(), c.getAccessor()::invoke);
      }
      return found;
    }
    for (Method m : type.getMethods()) {
      String name = propertyName(m);
      if (name == null) continue;
      m.setAccessible(true);
      found.putIfAbsent(name, m::invoke);
    }
    for (Field f : type.getFields()) {
      if (!Modifier.isStatic(f.getModifiers())) found.putIfAbsent(f.getName(), f::get);
    }
    if (found.isEmpty()) {
      throw new IllegalArgumentException("class " + type.getName() + " has no properties to write");
    }
    return found;
  }

  private static String propertyName(Method m) {
    if (m.getParameterCount() > 0 || Modifier.isStatic(m.getModifiers()) || m.isBridge()
        || m.getDeclaringClass() == Object.class || m.getReturnType() == void.class) {
      return null;
    }
    String n = m.getName();
    if (n.startsWith("get") && n.length() > 3) return lowerStart(n.substring(3));
    boolean yesNo = m.getReturnType() == boolean.class || m.getReturnType() == Boolean.class;
    return yesNo && n.startsWith("is") && n.length() > 2 ? lowerStart(n.substring(2)) : null;
  }

  /** "URLPath" is the property "urlpath": every leading capital falls. */
  private static String lowerStart(String s) {
    int n = 0;
    while (n < s.length() && Character.isUpperCase(s.charAt(n))) n++;
    return s.substring(0, n).toLowerCase(java.util.Locale.ROOT) + s.substring(n);
  }

  private void string(String s) {
    b.append('"');
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      switch (c) {
        case '"', '\\' -> b.append('\\').append(c);
        case '\n' -> b.append("\\n");
        case '\r' -> b.append("\\r");
        case '\t' -> b.append("\\t");
        default -> {
          if (c < ' ') b.append("\\u00").append(HEX[c >> 4]).append(HEX[c & 15]);
          else b.append(c);
        }
      }
    }
    b.append('"');
  }
}
