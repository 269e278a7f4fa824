package mayfly.runtime;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.BufferedOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Log lines in the formats of AWS's Java runtimes. A message is one telemetry
 * frame, so that one with many lines stays one log event: 4 bytes 0xa55a0002
 * (JSON) or 0xa55a0003 (text) with the level in bits 2-4, 4 bytes length, 8 bytes
 * microseconds since 1970, all big-endian, then the text. Without a descriptor
 * for frames, lines go to standard output.
 */
final class Log {
  private static final int FRAME = 0xa55a0002;
  private static final List<String> LEVELS =
      List.of("UNDEFINED", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL");
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

  private final FileOutputStream frames;
  private boolean json;
  private int lowest;

  Log() throws IOException {
    String fd = System.getenv("_LAMBDA_TELEMETRY_LOG_FD");
    frames = fd == null ? null : new FileOutputStream(Wire.descriptor(Integer.parseInt(fd)));
  }

  /** Makes System.out and System.err UTF-8, written line by line. */
  static void redirectStandard() {
    System.setOut(stream(FileDescriptor.out));
    System.setErr(stream(FileDescriptor.err));
  }

  private static PrintStream stream(FileDescriptor fd) {
    return new PrintStream(new BufferedOutputStream(new FileOutputStream(fd), 8192), true, StandardCharsets.UTF_8);
  }

  void configure(String format, String level) {
    json = "JSON".equals(format);
    lowest = json && level != null ? Math.max(0, LEVELS.indexOf(level)) : 0;
  }

  /** One message of the code, as context.getLogger().log gives it. */
  void message(String text, String level, Invocation call) {
    int rank = Math.max(0, LEVELS.indexOf(level));
    if (rank > 0 && rank < lowest) return;
    if (json) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("timestamp", TIME.format(Instant.now()));
      line.put("message", text);
      line.put("level", LEVELS.get(rank));
      if (call != null) line.put("AWSRequestId", call.requestId);
      text = new String(Json.write(line), StandardCharsets.UTF_8) + "\n";
    }
    write(text, rank);
  }

  /** An error body, as the runtime itself logs it. */
  void error(Map<String, Object> error, Invocation call) {
    StringBuilder text = new StringBuilder();
    text.append(error.get("errorMessage"));
    if (error.get("errorType") != null) text.append(": ").append(error.get("errorType"));
    if (error.get("stackTrace") instanceof List<?> trace) {
      text.append('\n').append(error.get("errorType"));
      for (Object element : trace) text.append("\n\tat ").append(element);
    }
    message(text.append('\n').toString(), json ? "ERROR" : "UNDEFINED", call);
  }

  private synchronized void write(String text, int rank) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (frames == null) {
      System.out.write(bytes, 0, bytes.length);
      System.out.flush();
      return;
    }
    Instant now = Instant.now();
    ByteBuffer b = ByteBuffer.allocate(16 + bytes.length);
    b.putInt(FRAME | (json ? 0 : 1) | rank << 2);
    b.putInt(bytes.length);
    b.putLong(now.getEpochSecond() * 1_000_000 + now.getNano() / 1000);
    b.put(bytes);
    try {
      frames.write(b.array());
    } catch (IOException e) {
      System.err.println("log line lost: " + e.getMessage());
    }
  }
}
