// java.util.zip over an archive.
// java ZipPeer.java file|stream ARCHIVE DIR    unpacks with ZipFile or with ZipInputStream
// java ZipPeer.java write ARCHIVE DIR          packs the files of DIR with ZipOutputStream

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

class ZipPeer {
    public static void main(String[] args) throws Exception {
        Path archive = Path.of(args[1]);
        Path directory = Path.of(args[2]);
        switch (args[0]) {
            case "file" -> {
                try (var zip = new ZipFile(archive.toFile())) {
                    for (var entries = zip.entries(); entries.hasMoreElements();) {
                        ZipEntry entry = entries.nextElement();
                        unpack(entry, zip.getInputStream(entry), directory);
                    }
                }
            }
            case "stream" -> {
                try (var zip = new ZipInputStream(Files.newInputStream(archive))) {
                    for (ZipEntry entry; (entry = zip.getNextEntry()) != null;) {
                        unpack(entry, zip, directory);
                    }
                }
            }
            case "write" -> {
                try (var zip = new ZipOutputStream(Files.newOutputStream(archive)); var paths = Files.walk(directory)) {
                    for (Path path : paths.filter(Files::isRegularFile).sorted().toList()) {
                        zip.putNextEntry(new ZipEntry(directory.relativize(path).toString()));
                        Files.copy(path, zip);
                        zip.closeEntry();
                    }
                }
            }
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    static void unpack(ZipEntry entry, InputStream content, Path directory) throws IOException {
        Path path = directory.resolve(entry.getName());
        if (entry.isDirectory()) {
            Files.createDirectories(path);
            return;
        }
        Files.createDirectories(path.getParent());
        Files.copy(content, path);
    }
}
