package mayfly.runtime;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON text to plain values (Map, List, String, Integer, Long, BigInteger, Double,
 * Boolean, null) and any value to text.
 */
final class Json {
  /** How deep a document may nest: a stack is finite. */
  private static final int MAX_DEPTH = 512;

  private final String s;
  private int at;
  private int depth;

  private Json(String s) {
    this.s = s;
  }

  static Object parse(byte[] b, int from, int to) {
    Json j = new Json(new String(b, from, to - from, StandardCharsets.UTF_8));
    Object v = j.value();
    j.space();
    if (j.at < j.s.length()) throw j.error("unexpected text after the value");
    return v;
  }

  static byte[] write(Object v) {
    StringBuilder b = new StringBuilder(256);
    new Unbind(b).value(v);
    return b.toString().getBytes(StandardCharsets.UTF_8);
  }

  private IllegalArgumentException error(String what) {
    return new IllegalArgumentException(what + " at character " + at);
  }

  private void space() {
    while (at < s.length() && " \t\r\n".indexOf(s.charAt(at)) >= 0) at++;
  }

  private char peek() {
    space();
    if (at == s.length()) throw error("unexpected end");
    return s.charAt(at);
  }

  private Object value() {
    char c = peek();
    return switch (c) {
      case '{' -> object();
      case '[' -> array();
      case '"' -> string();
      case 't' -> word("true", Boolean.TRUE);
      case 'f' -> word("false", Boolean.FALSE);
      case 'n' -> word("null", null);
      default -> number();
    };
  }

  private Object word(String w, Object v) {
    if (!s.startsWith(w, at)) throw error("unexpected character");
    at += w.length();
    return v;
  }

  private Map<String, Object> object() {
    enter();
    Map<String, Object> m = new LinkedHashMap<>();
    if (peek() != '}') {
      while (true) {
        if (peek() != '"') throw error("expected a name");
        String name = string();
        if (peek() != ':') throw error("expected ':'");
        at++;
        m.put(name, value());
        if (peek() == '}') break;
        if (s.charAt(at) != ',') throw error("expected ',' or '}'");
        at++;
      }
    }
    leave();
    return m;
  }

  private List<Object> array() {
    enter();
    List<Object> l = new ArrayList<>();
    if (peek() != ']') {
      while (true) {
        l.add(value());
        if (peek() == ']') break;
        if (s.charAt(at) != ',') throw error("expected ',' or ']'");
        at++;
      }
    }
    leave();
    return l;
  }

  private void enter() {
    at++;
    if (++depth > MAX_DEPTH) throw error("nested too deeply");
  }

  private void leave() {
    at++;
    depth--;
  }

  private String string() {
    int from = ++at;
    while (at < s.length() && s.charAt(at) != '"' && s.charAt(at) != '\\') at++;
    if (at < s.length() && s.charAt(at) == '"') return s.substring(from, at++);
    StringBuilder b = new StringBuilder(s.substring(from, at));
    while (at < s.length()) {
      char c = s.charAt(at++);
      if (c == '"') return b.toString();
      b.append(c == '\\' ? escape() : c);
    }
    throw error("unexpected end of a string");
  }

  private char escape() {
    if (at == s.length()) throw error("unexpected end of a string");
    char c = s.charAt(at++);
    switch (c) {
      case 'n': return '\n';
      case 't': return '\t';
      case 'r': return '\r';
      case 'b': return '\b';
      case 'f': return '\f';
      case '"', '\\', '/': return c;
      case 'u':
        if (at + 4 > s.length()) throw error("short escape");
        at += 4;
        return (char) Integer.parseInt(s, at - 4, at, 16);
      default: throw error("unknown escape");
    }
  }

  private Number number() {
    int from = at;
    boolean whole = true;
    while (at < s.length() && "+-0123456789.eE".indexOf(s.charAt(at)) >= 0) {
      char c = s.charAt(at++);
      whole &= c == '-' || c >= '0' && c <= '9';
    }
    if (from == at) throw error("unexpected character");
    String text = s.substring(from, at);
    if (!whole) return new BigDecimal(text).doubleValue();
    if (text.length() < 10) return Integer.parseInt(text);
    BigInteger n = new BigInteger(text);
    if (n.bitLength() < 32) return n.intValue();
    return n.bitLength() < 64 ? (Number) n.longValue() : n;
  }
}
