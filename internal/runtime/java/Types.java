package mayfly.runtime;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What generic types stand for. */
final class Types {
  private Types() {}

  /** Every interface of a class, its superclasses' included. */
  static List<Class<?>> interfacesOf(Class<?> type) {
    List<Class<?>> all = new ArrayList<>();
    for (Class<?> c = type; c != null; c = c.getSuperclass()) {
      for (Class<?> i : c.getInterfaces()) {
        all.add(i);
        all.addAll(interfacesOf(i));
      }
    }
    return all;
  }

  /** A type as seen from a class: its variables replaced by what the class says. */
  static Type resolve(Type t, Class<?> from) {
    Map<TypeVariable<?>, Type> known = new HashMap<>();
    learn(from, known);
    for (int i = 0; t instanceof TypeVariable<?> v && i < 16; i++) {
      t = known.getOrDefault(v, v.getBounds()[0]);
    }
    return t;
  }

  private static void learn(Class<?> type, Map<TypeVariable<?>, Type> known) {
    if (type == null) return;
    List<Type> parents = new ArrayList<>(List.of(type.getGenericInterfaces()));
    if (type.getGenericSuperclass() != null) parents.add(type.getGenericSuperclass());
    for (Type p : parents) {
      if (p instanceof ParameterizedType pt) {
        TypeVariable<?>[] vars = raw(pt).getTypeParameters();
        for (int i = 0; i < vars.length; i++) known.putIfAbsent(vars[i], pt.getActualTypeArguments()[i]);
      }
      learn(raw(p), known);
    }
  }

  /** The class behind a type. */
  static Class<?> raw(Type t) {
    if (t instanceof Class<?> c) return c;
    if (t instanceof ParameterizedType p) return (Class<?>) p.getRawType();
    if (t instanceof WildcardType w) return raw(w.getUpperBounds()[0]);
    if (t instanceof TypeVariable<?> v) return raw(v.getBounds()[0]);
    return Object[].class;
  }

  /** The i-th argument of a parameterised type; Object where there is none. */
  static Type argument(Type t, int i) {
    if (t instanceof ParameterizedType p && p.getActualTypeArguments().length > i) {
      return p.getActualTypeArguments()[i];
    }
    return Object.class;
  }
}
