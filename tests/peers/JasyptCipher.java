// Jasypt's binary encryptor, with its defaults, as a filter.
// java -cp jasypt.jar JasyptCipher.java encrypt|decrypt PASSWORD

import org.jasypt.encryption.pbe.StandardPBEByteEncryptor;

class JasyptCipher {
    public static void main(String[] args) throws Exception {
        var encryptor = new StandardPBEByteEncryptor();
        encryptor.setPassword(args[1]);
        byte[] input = System.in.readAllBytes();
        System.out.write(args[0].equals("encrypt") ? encryptor.encrypt(input) : encryptor.decrypt(input));
        System.out.flush();
    }
}
