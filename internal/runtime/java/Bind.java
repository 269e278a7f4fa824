package mayfly.runtime;

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Plain JSON values to objects of a type. Names that a class doesn't have are
 * ignored, and case is where nothing matches exactly: events write "Records",
 * the classes for them "records".
 */
final class Bind {
  private static final Map<Class<?>, Map<String, Setter>> setters = new ConcurrentHashMap<>();

  private Bind() {}

  /** One property of a class and how to set it. */
  private record Setter(Type type, Assign assign) {
    interface Assign {
      void set(Object o, Object v) throws ReflectiveOperationException;
    }
  }

  static Object to(Type type, Object v) {
    Class<?> c = Types.raw(type);
    if (v == null) return c.isPrimitive() ? Array.get(Array.newInstance(c, 1), 0) : null;
    if (c == Object.class) return v;
    if (v instanceof Map<?, ?> m) return fromMap(type, c, m);
    if (v instanceof List<?> l) return fromList(type, c, l);
    return scalar(type, c, v);
  }

  private static Object scalar(Type type, Class<?> c, Object v) {
    String s = String.valueOf(v);
    if (c.isInstance(v)) return v;
    if (c == String.class || c == CharSequence.class) return s;
    if (c == boolean.class || c == Boolean.class) {
      if (v instanceof Boolean) return v;
      return Boolean.valueOf(s);
    }
    if (c == char.class || c == Character.class) {
      if (s.length() == 1) return s.charAt(0);
    }
    if (c.isPrimitive() || Number.class.isAssignableFrom(c)) return number(c, v, s);
    if (c.isEnum()) return constant(c, s);
    if (c == byte[].class) return Base64.getDecoder().decode(s);
    if (c == Date.class && v instanceof Number n) return new Date(n.longValue());
    if (c == Optional.class) return Optional.of(to(Types.argument(type, 0), v));
    return fromText(c, s);
  }

  private static Object number(Class<?> c, Object v, String s) {
    Number n = v instanceof Number given ? given : new BigDecimal(s.trim());
    if (c == int.class || c == Integer.class) return new BigDecimal(n.toString()).toBigInteger().intValueExact();
    if (c == long.class || c == Long.class) return new BigDecimal(n.toString()).toBigInteger().longValueExact();
    if (c == double.class || c == Double.class) return n.doubleValue();
    if (c == float.class || c == Float.class) return n.floatValue();
    if (c == short.class || c == Short.class) return n.shortValue();
    if (c == byte.class || c == Byte.class) return n.byteValue();
    if (c == BigInteger.class) return new BigDecimal(n.toString()).toBigInteger();
    if (c == BigDecimal.class) return new BigDecimal(n.toString());
    throw cannot(c, v);
  }

  private static Object constant(Class<?> c, String s) {
    for (Object e : c.getEnumConstants()) if (((Enum<?>) e).name().equals(s)) return e;
    throw cannot(c, s);
  }

  /** Types that read themselves: java.time's parse, UUID's fromString, URI's create. */
  private static Object fromText(Class<?> c, String s) {
    for (String name : new String[] {"parse", "fromString", "create", "valueOf"}) {
      for (Class<?> arg : new Class<?>[] {CharSequence.class, String.class}) {
        try {
          Method m = c.getMethod(name, arg);
          if (Modifier.isStatic(m.getModifiers()) && c.isAssignableFrom(m.getReturnType())) return m.invoke(null, s);
        } catch (NoSuchMethodException e) {
          continue;
        } catch (ReflectiveOperationException e) {
          throw new IllegalArgumentException("cannot read \"" + s + "\" as " + c.getName(), e.getCause());
        }
      }
    }
    try {
      return c.getConstructor(String.class).newInstance(s);
    } catch (ReflectiveOperationException e) {
      throw cannot(c, s);
    }
  }

  private static Object fromList(Type type, Class<?> c, List<?> l) {
    if (c.isArray()) {
      Object a = Array.newInstance(c.getComponentType(), l.size());
      for (int i = 0; i < l.size(); i++) Array.set(a, i, to(c.getComponentType(), l.get(i)));
      return a;
    }
    Collection<Object> out;
    if (SortedSet.class.isAssignableFrom(c)) out = new TreeSet<>();
    else if (Set.class.isAssignableFrom(c)) out = new LinkedHashSet<>();
    else if (c.isAssignableFrom(ArrayList.class)) out = new ArrayList<>();
    else if (Collection.class.isAssignableFrom(c)) out = made(c);
    else throw cannot(c, l);
    for (Object o : l) out.add(to(Types.argument(type, 0), o));
    return out;
  }

  private static Object fromMap(Type type, Class<?> c, Map<?, ?> m) {
    if (Map.class.isAssignableFrom(c)) {
      Map<Object, Object> out;
      if (SortedMap.class.isAssignableFrom(c)) out = new TreeMap<>();
      else out = c.isAssignableFrom(LinkedHashMap.class) ? new LinkedHashMap<>() : made(c);
      for (Map.Entry<?, ?> e : m.entrySet()) {
        out.put(to(Types.argument(type, 0), e.getKey()), to(Types.argument(type, 1), e.getValue()));
      }
      return out;
    }
    if (c == String.class || c.isPrimitive() || Number.class.isAssignableFrom(c) || c.isEnum() || c.isArray()
        || Collection.class.isAssignableFrom(c)) {
      throw cannot(c, m);
    }
    return c.isRecord() ? record(type, c, m) : bean(type, c, m);
  }

  private static Object record(Type type, Class<?> c, Map<?, ?> m) {
    RecordComponent[] parts = c.getRecordComponents();
    Class<?>[] types = new Class<?>[parts.length];
    Object[] args = new Object[parts.length];
    for (int i = 0; i < parts.length; i++) {
      types[i] = parts[i].getType();
      args[i] = to(inside(parts[i].getGenericType(), type), m.get(parts[i].getName()));
    }
    try {
      Constructor<?> k = c.getDeclaredConstructor(types);
      k.setAccessible(true);
      return k.newInstance(args);
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException("cannot make a " + c.getName(), e.getCause() == null ? e : e.getCause());
    }
  }

  private static Object bean(Type type, Class<?> c, Map<?, ?> m) {
    Map<String, Setter> known = setters.computeIfAbsent(c, Bind::settersOf);
    Object o = made(c);
    for (Map.Entry<?, ?> e : m.entrySet()) {
      String name = String.valueOf(e.getKey());
      Setter s = known.get(name);
      if (s == null) s = known.get(name.toLowerCase(Locale.ROOT));
      if (s == null) continue;
      try {
        s.assign.set(o, to(inside(s.type, type), e.getValue()));
      } catch (ReflectiveOperationException x) {
        throw new IllegalArgumentException("cannot set " + name + " of " + c.getName(),
            x.getCause() == null ? x : x.getCause());
      }
    }
    return o;
  }

  /** A property's type, its variables replaced by the arguments of its owner. */
  private static Type inside(Type t, Type owner) {
    if (t instanceof java.lang.reflect.TypeVariable<?> v && owner instanceof ParameterizedType p) {
      Object[] vars = Types.raw(p).getTypeParameters();
      for (int i = 0; i < vars.length; i++) if (vars[i].equals(v)) return p.getActualTypeArguments()[i];
    }
    return t;
  }

  /** Setters before fields; each under its name and under it in lower case. */
  private static Map<String, Setter> settersOf(Class<?> c) {
    Map<String, Setter> found = new HashMap<>();
    for (Method m : c.getMethods()) {
      String n = m.getName();
      if (!n.startsWith("set") || n.length() == 3 || m.getParameterCount() != 1 || m.isBridge()) continue;
      m.setAccessible(true);
      Setter s = new Setter(m.getGenericParameterTypes()[0], m::invoke);
      found.put(n.substring(3, 4).toLowerCase(Locale.ROOT) + n.substring(4), s);
      found.putIfAbsent(n.substring(3).toLowerCase(Locale.ROOT), s);
    }
    for (Class<?> k = c; k != null && k != Object.class; k = k.getSuperclass()) {
      for (Field f : k.getDeclaredFields()) {
        if (Modifier.isStatic(f.getModifiers()) || f.isSynthetic()) continue;
        if (!f.trySetAccessible()) continue;
        Setter s = new Setter(f.getGenericType(), f::set);
        found.putIfAbsent(f.getName(), s);
        found.putIfAbsent(f.getName().toLowerCase(Locale.ROOT), s);
      }
    }
    return found;
  }

  /** A new object of a class, by its constructor without arguments. */
  @SuppressWarnings("unchecked")
  private static <T> T made(Class<?> c) {
    try {
      Constructor<?> k = c.getDeclaredConstructor();
      k.setAccessible(true);
      return (T) k.newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(
          "cannot make a " + c.getName() + ": it needs a constructor without arguments", e.getCause());
    }
  }

  private static IllegalArgumentException cannot(Class<?> c, Object v) {
    String kind = v instanceof Map ? "an object" : v instanceof List ? "a list" : "\"" + v + "\"";
    return new IllegalArgumentException("cannot read " + kind + " as " + c.getName());
  }
}
