import java.io.*;
import java.nio.file.*;
import java.util.List;
import java.util.stream.*;
import java.util.zip.*;
import javax.crypto.*;
import javax.crypto.spec.*;

/** Zip into DES/MD5 as streams, with what Java brings: {@code pack DIR FILE PASSWORD-FILE} and {@code unpack FILE DIR PASSWORD-FILE}. */
public final class JavaPeer {
    private static final byte[] SALT = {1, 2, 3, 4, 5, 6, 7, 8};
    private static final int BUFFER = 64 << 10;

    public static void main(String[] arguments) throws Exception {
        char[] password = Files.readString(Path.of(arguments[3])).strip().toCharArray();
        switch (arguments[0]) {
            case "pack" -> pack(Path.of(arguments[1]), Path.of(arguments[2]), password);
            case "unpack" -> unpack(Path.of(arguments[1]), Path.of(arguments[2]), password);
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void pack(Path directory, Path file, char[] password) throws Exception {
        List<Path> paths;
        try (Stream<Path> listed = Files.list(directory)) {
            paths = listed.sorted().collect(Collectors.toList());
        }
        OutputStream output = new BufferedOutputStream(Files.newOutputStream(file), BUFFER);
        output.write(SALT);
        OutputStream sealed = new CipherOutputStream(output, cipher(Cipher.ENCRYPT_MODE, SALT, password));
        try (ZipOutputStream archive = new ZipOutputStream(new BufferedOutputStream(sealed, BUFFER))) {
            for (Path path : paths) {
                archive.putNextEntry(new ZipEntry(path.getFileName().toString()));
                Files.copy(path, archive);
                archive.closeEntry();
            }
        }
    }

    private static void unpack(Path file, Path directory, char[] password) throws Exception {
        Files.createDirectories(directory);
        InputStream input = new BufferedInputStream(Files.newInputStream(file), BUFFER);
        Cipher cipher = cipher(Cipher.DECRYPT_MODE, input.readNBytes(SALT.length), password);
        InputStream opened = new BufferedInputStream(new CipherInputStream(input, cipher), BUFFER);
        try (ZipInputStream archive = new ZipInputStream(opened)) {
            for (ZipEntry entry = archive.getNextEntry(); entry != null; entry = archive.getNextEntry()) {
                Files.copy(archive, directory.resolve(Path.of(entry.getName()).getFileName()));
            }
        }
    }

    private static Cipher cipher(int mode, byte[] salt, char[] password) throws Exception {
        SecretKey key = SecretKeyFactory.getInstance("PBEWithMD5AndDES").generateSecret(new PBEKeySpec(password));
        Cipher cipher = Cipher.getInstance("PBEWithMD5AndDES");
        cipher.init(mode, key, new PBEParameterSpec(salt, 1000));
        return cipher;
    }
}
