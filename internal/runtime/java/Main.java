package mayfly.runtime;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The Java runtime: boots before it knows which function it will serve, then
 * loads one handler (Init) and answers one call after the other (Invoke).
 * Errors have the shape of AWS's managed runtimes.
 */
public final class Main {
  static final int MAX_RESPONSE = 6291556;
  static final int ID_LENGTH = 36;
  static final byte[] NIL_ID = "00000000-0000-0000-0000-000000000000".getBytes(StandardCharsets.US_ASCII);

  private final Wire wire = new Wire(3);
  private final Log log = new Log();
  private Handlers.Handler handler;
  private Invocation.Function function;

  private Main() throws IOException {}

  public static void main(String[] args) throws IOException {
    Log.redirectStandard();
    new Main().run(args.length > 0);
  }

  /** Nobody waits for a process that was started ahead. */
  private void run(boolean ahead) throws IOException {
    if (ahead) warm();
    wire.send('H', Json.write(Map.of("runtime", "java", "version", System.getProperty("java.version"))));
    while (true) {
      Wire.Frame f = wire.receive();
      switch (f.kind()) {
        case 'I' -> init(f.body());
        case 'C' -> invoke(f.body());
        case 'X' -> halt(0);
        default -> {
          System.err.println("unexpected frame " + f.kind());
          halt(1);
        }
      }
    }
  }

  @SuppressWarnings("unchecked")
  private void init(byte[] body) throws IOException {
    Map<String, Object> in = (Map<String, Object>) Json.parse(body, 0, body.length);
    Map<String, String> env = (Map<String, String>) (Map<?, ?>) in.get("env");
    Environment.set(env);
    log.configure((String) in.get("logFormat"), (String) in.get("applicationLogLevel"));
    function = Invocation.Function.of(env);
    try {
      handler = Handlers.load((String) in.get("handler"), (String) in.get("taskRoot"));
    } catch (Throwable t) {
      Map<String, Object> error = report(t);
      log.error(error, null);
      flush();
      wire.send('E', NIL_ID, Json.write(error));
      halt(1);
    }
    flush();
    wire.send('K', new byte[0]);
  }

  private void invoke(byte[] body) throws IOException {
    if (handler == null || body.length < ID_LENGTH + 4) {
      System.err.println("unexpected call");
      halt(1);
    }
    byte[] id = Arrays.copyOf(body, ID_LENGTH);
    int split = ID_LENGTH + 4 + Wire.littleEndian(body, ID_LENGTH);
    Invocation call = null;
    byte[] answer;
    boolean fatal = false;
    char kind = 'R';
    try {
      call = new Invocation(function, new String(id, StandardCharsets.US_ASCII),
          Json.parse(body, ID_LENGTH + 4, split), log);
      Environment.trace(call.traceId);
      answer = handler.handle(body, split, body.length - split, call);
      if (answer.length > MAX_RESPONSE) {
        kind = 'E';
        answer = Json.write(tooLarge());
      }
    } catch (Throwable t) {
      Map<String, Object> error = report(t);
      log.error(error, call);
      fatal = t instanceof VirtualMachineError;
      kind = 'E';
      answer = Json.write(error);
    }
    flush();
    wire.send(kind, id, answer);
    Thread.interrupted(); // what the code did to this thread ends with its call
    if (fatal) halt(1);
  }

  private static Map<String, Object> tooLarge() {
    Map<String, Object> error = new LinkedHashMap<>();
    error.put("errorMessage",
        "Response payload size exceeded maximum allowed payload size (" + MAX_RESPONSE + " bytes).");
    error.put("errorType", "Function.ResponseSizeTooLarge");
    return error;
  }

  /** The error body of a throwable, without the frames of the runtime itself. */
  static Map<String, Object> report(Throwable t) {
    Map<String, Object> error = new LinkedHashMap<>();
    if (t instanceof Handlers.Fault f) {
      error.put("errorMessage", f.getMessage());
      if (f.type != null) error.put("errorType", f.type);
      return error;
    }
    String message = t.getLocalizedMessage();
    error.put("errorMessage", message == null ? t.getClass().getName() : message);
    error.put("errorType", t.getClass().getName());
    error.put("stackTrace", Arrays.stream(t.getStackTrace())
        .takeWhile(e -> !e.getClassName().startsWith("mayfly.runtime."))
        .filter(e -> !e.getClassName().startsWith("jdk.internal.reflect.")
            && !e.getClassName().equals("java.lang.reflect.Method"))
        .map(StackTraceElement::toString).toList());
    return error;
  }

  private static void flush() {
    System.out.flush();
    System.err.flush();
  }

  private static void halt(int code) {
    flush();
    Runtime.getRuntime().halt(code);
  }

  /** What the runtime calls before it has a function. */
  public static final class Sample {
    /** Has what an interface of the code may have. */
    public interface View {
      String getAwsRequestId();
    }

    private Map<String, Object> values;

    public Map<String, Object> getValues() {
      return values;
    }

    public void setValues(Map<String, Object> values) {
      this.values = values;
    }

    public Sample echo(Sample in) {
      return in;
    }
  }

  /** Runs the paths of a first call, so that it finds their classes loaded. */
  private void warm() throws IOException {
    byte[] event = "{\"values\":{\"a\":[1,2.5,true,null,\"\\u00e9\"]}}".getBytes(StandardCharsets.UTF_8);
    byte[] meta = "{\"arn\":\"\",\"deadlineMs\":0}".getBytes(StandardCharsets.UTF_8);
    try {
      Handlers.Handler h = Handlers.of(Sample.class, "echo");
      for (int i = 0; i < 50; i++) {
        Invocation call = new Invocation(Invocation.Function.of(Map.of()), "", Json.parse(meta, 0, meta.length), log);
        ((Sample.View) call.context(Sample.View.class)).getAwsRequestId();
        h.handle(event, 0, event.length, call);
      }
    } catch (Throwable t) {
      throw new IOException("call a function of the runtime's own", t);
    }
    Json.write(report(new IllegalStateException("warm")));
  }
}
