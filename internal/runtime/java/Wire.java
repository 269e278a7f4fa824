package mayfly.runtime;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.Constructor;

/**
 * Frames on an inherited descriptor: a kind, three zeros, the length of the
 * body in little-endian, the body.
 */
final class Wire {
  private static final int HEADER = 8;
  private static final int MAX_BODY = 7 << 20;

  private final FileInputStream in;
  private final FileOutputStream out;
  private final byte[] buffer = new byte[8192];
  private int have;
  private int at;

  record Frame(char kind, byte[] body) {}

  Wire(int fd) throws IOException {
    in = new FileInputStream(descriptor(fd));
    out = new FileOutputStream(descriptor(fd));
  }

  /** A descriptor by its number, which Java has no public way to name. */
  static FileDescriptor descriptor(int fd) throws IOException {
    try {
      Constructor<FileDescriptor> c = FileDescriptor.class.getDeclaredConstructor(int.class);
      c.setAccessible(true);
      return c.newInstance(fd);
    } catch (ReflectiveOperationException e) {
      throw new IOException("open descriptor " + fd, e);
    }
  }

  Frame receive() throws IOException {
    byte[] header = new byte[HEADER];
    fill(header);
    int length = littleEndian(header, 4);
    if (length < 0 || length > MAX_BODY) {
      System.err.println("frame over the limit");
      System.err.flush();
      Runtime.getRuntime().halt(1);
    }
    byte[] body = new byte[length];
    fill(body);
    return new Frame((char) header[0], body);
  }

  private void fill(byte[] b) throws IOException {
    int n = 0;
    while (n < b.length) {
      if (at == have) {
        // What is larger than the buffer goes straight to its place.
        if (b.length - n >= buffer.length) {
          n += more(b, n, b.length - n);
          continue;
        }
        have = more(buffer, 0, buffer.length);
        at = 0;
      }
      int take = Math.min(have - at, b.length - n);
      System.arraycopy(buffer, at, b, n, take);
      at += take;
      n += take;
    }
  }

  private int more(byte[] b, int off, int len) throws IOException {
    int n = in.read(b, off, len);
    if (n < 0) Runtime.getRuntime().halt(0);
    return n;
  }

  /** Writes one frame with one call. */
  void send(char kind, byte[]... parts) throws IOException {
    int n = 0;
    for (byte[] p : parts) n += p.length;
    byte[] b = new byte[HEADER + n];
    b[0] = (byte) kind;
    for (int i = 0; i < 4; i++) b[4 + i] = (byte) (n >>> (8 * i));
    int to = HEADER;
    for (byte[] p : parts) {
      System.arraycopy(p, 0, b, to, p.length);
      to += p.length;
    }
    out.write(b);
  }

  static int littleEndian(byte[] b, int off) {
    return (b[off] & 255) | (b[off + 1] & 255) << 8 | (b[off + 2] & 255) << 16 | (b[off + 3] & 255) << 24;
  }
}
