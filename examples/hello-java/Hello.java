import java.time.Instant;
import java.util.Map;

/** What stands in static fields is set up once per execution environment. */
public class Hello {
  private static final String STARTED = Instant.now().toString();
  private static int calls;

  public Map<String, Object> handle(Map<String, Object> event) {
    String name = "world";
    if (event.get("queryStringParameters") instanceof Map<?, ?> query && query.get("name") != null) {
      name = String.valueOf(query.get("name"));
    } else if (event.get("name") != null) {
      name = String.valueOf(event.get("name"));
    }
    calls += 1;
    System.out.println("greeting " + name);
    return Map.of("message", "Hello, " + name + "!", "started", STARTED, "calls", calls);
  }
}
