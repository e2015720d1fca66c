// The JCE's own PBEWithMD5AndDES as a filter, with the framings of des-md5 done by hand around it.
// java PbeCipher.java encrypt|decrypt salt-prefix|openssl|bare ITERATIONS SALT-HEX PASSWORD [PROVIDER-CLASS]

import java.io.ByteArrayOutputStream;
import java.security.Provider;
import java.security.Security;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.Cipher;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.PBEParameterSpec;

class PbeCipher {
    public static void main(String[] args) throws Exception {
        if (args.length > 5) {
            var provider = (Provider) Class.forName(args[5]).getDeclaredConstructor().newInstance();
            Security.insertProviderAt(provider, 1);
        }
        byte[] magic = args[1].equals("openssl") ? "Salted__".getBytes("US-ASCII") : new byte[0];
        boolean carriesSalt = !args[1].equals("bare");
        byte[] salt = HexFormat.of().parseHex(args[3]);
        byte[] input = System.in.readAllBytes();
        boolean encrypts = args[0].equals("encrypt");
        int start = 0;
        if (!encrypts && carriesSalt) {
            if (!Arrays.equals(magic, Arrays.copyOf(input, magic.length))) {
                throw new IllegalArgumentException("no magic");
            }
            start = magic.length + 8;
            salt = Arrays.copyOfRange(input, magic.length, start);
        }
        var key = SecretKeyFactory.getInstance("PBEWithMD5AndDES").generateSecret(new PBEKeySpec(args[4].toCharArray()));
        var cipher = Cipher.getInstance("PBEWithMD5AndDES");
        var parameters = new PBEParameterSpec(salt, Integer.parseInt(args[2]));
        cipher.init(encrypts ? Cipher.ENCRYPT_MODE : Cipher.DECRYPT_MODE, key, parameters);
        var output = new ByteArrayOutputStream();
        if (encrypts && carriesSalt) {
            output.write(magic);
            output.write(salt);
        }
        output.write(cipher.doFinal(input, start, input.length - start));
        System.out.write(output.toByteArray());
        System.out.flush();
    }
}
