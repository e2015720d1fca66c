// Packs a claim's notes into an archive, seals it, opens it again and reads the notes: the codec from C++11.
//
// The C handles become unique_ptr, and a cw_error becomes an exception, on this side of the border: no exception ever
// goes through the library, which would be undefined.
//
//     c++ -std=c++11 sealed_notes.cpp $(pkg-config --cflags --libs claimwire) -o sealed_notes && ./sealed_notes
#include <claimwire.h>

#include <cstring>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

namespace claimwire {

// Ends each handle with the free of its type.
struct Free {
    void operator()(cw_buffer *handle) const { cw_buffer_free(handle); }
    void operator()(cw_error *handle) const { cw_error_free(handle); }
    void operator()(cw_sealing_key *handle) const { cw_sealing_key_free(handle); }
    void operator()(cw_opening_key *handle) const { cw_opening_key_free(handle); }
    void operator()(cw_encryptor *handle) const { cw_encryptor_free(handle); }
    void operator()(cw_decryptor *handle) const { cw_decryptor_free(handle); }
    void operator()(cw_archive_writer *handle) const { cw_archive_writer_free(handle); }
    void operator()(cw_archive_reader *handle) const { cw_archive_reader_free(handle); }
};

template <typename T> using Handle = std::unique_ptr<T, Free>;

// What went wrong, with its stable code.
class Error : public std::runtime_error {
  public:
    Error(int32_t code, cw_error *error)
        : std::runtime_error(cw_error_message(error)), code_(code), retryable_(cw_error_is_retryable(error) != 0) {
        cw_error_free(error);
    }
    int32_t code() const { return code_; }
    bool is_retryable() const { return retryable_; }

  private:
    int32_t code_;
    bool retryable_;
};

// Makes a call, handing it a place for its error; throws what it reports.
template <typename Call> void check(Call call) {
    cw_error *error = nullptr;
    const int32_t code = call(&error);
    if (code != CW_OK) {
        throw Error(code, error);
    }
}

// Makes a call that gives out a handle.
template <typename T, typename Call> Handle<T> make(Call call) {
    T *handle = nullptr;
    check([&](cw_error **error) { return call(&handle, error); });
    return Handle<T>(handle);
}

inline std::string text(const cw_buffer *buffer) {
    return std::string(reinterpret_cast<const char *>(cw_buffer_data(buffer)), cw_buffer_len(buffer));
}

inline const uint8_t *bytes(const std::string &text) { return reinterpret_cast<const uint8_t *>(text.data()); }

// Appends the library's output to a std::string. It must not throw, so it reports that memory ran out.
extern "C" int32_t append(void *user_data, const uint8_t *data, size_t len) {
    try {
        static_cast<std::string *>(user_data)->append(reinterpret_cast<const char *>(data), len);
        return CW_OK;
    } catch (...) {
        return CW_ERR_IO;
    }
}

} // namespace claimwire

using namespace claimwire;

using Notes = std::map<std::string, std::string>;

// The notes as a sealed archive: it goes from the archive writer into the encryptor, piece by piece.
static std::string seal(const cw_sealing_key *key, const Notes &notes) {
    std::string sealed;
    const auto encryptor = make<cw_encryptor>([&](cw_encryptor **out, cw_error **error) {
        return cw_encryptor_new(key, append, &sealed, nullptr, out, error);
    });
    const auto encrypt = [](void *user_data, const uint8_t *data, size_t len) -> int32_t {
        return cw_encryptor_update(static_cast<cw_encryptor *>(user_data), data, len, nullptr);
    };
    const auto writer = make<cw_archive_writer>([&](cw_archive_writer **out, cw_error **error) {
        return cw_archive_writer_new(encrypt, encryptor.get(), nullptr, out, error);
    });
    for (const auto &note : notes) {
        check([&](cw_error **error) {
            return cw_archive_writer_add(writer.get(), note.first.data(), note.first.size(), bytes(note.second),
                                         note.second.size(), error);
        });
    }
    check([&](cw_error **error) { return cw_archive_writer_finish(writer.get(), error); });
    check([&](cw_error **error) { return cw_encryptor_finish(encryptor.get(), error); });
    return sealed;
}

// The notes of a sealed archive that comes in pieces, as from a socket.
static Notes unseal(const cw_opening_key *key, const std::string &sealed) {
    const size_t piece = 1000;
    std::string archive; // not to be acted on before cw_decryptor_finish said that all of it is good
    const auto decryptor = make<cw_decryptor>([&](cw_decryptor **out, cw_error **error) {
        return cw_decryptor_new(key, append, &archive, nullptr, out, error);
    });
    for (size_t at = 0; at < sealed.size(); at += piece) {
        const std::string came = sealed.substr(at, piece);
        check([&](cw_error **error) {
            return cw_decryptor_update(decryptor.get(), bytes(came), came.size(), error);
        });
    }
    check([&](cw_error **error) { return cw_decryptor_finish(decryptor.get(), error); });

    cw_limits limits = cw_limits();
    limits.struct_size = sizeof limits;
    limits.inflated_size = 1024 * 1024; // notes are short
    const auto reader = make<cw_archive_reader>([&](cw_archive_reader **out, cw_error **error) {
        return cw_archive_reader_open_bytes(bytes(archive), archive.size(), &limits, out, error);
    });
    Notes notes;
    for (size_t index = 0; index < cw_archive_reader_count(reader.get()); index++) {
        const auto note = make<cw_buffer>([&](cw_buffer **out, cw_error **error) {
            return cw_archive_reader_read_bytes(reader.get(), index, out, error);
        });
        notes[cw_archive_reader_name(reader.get(), index)] = text(note.get());
    }
    return notes;
}

// Seals and opens with one pair of keys, and sees that a damaged package is refused.
static void there_and_back(const cw_sealing_key *sealing, const cw_opening_key *opening, const char *suite) {
    const Notes notes = {{"notes/1.txt", "The windscreen is cracked.\n"},
                         {"notes/2.txt", std::string(300000, '.') + "\nPlease call back.\n"}};
    std::string sealed = seal(sealing, notes);
    if (unseal(opening, sealed) != notes) {
        throw std::runtime_error("the notes that came out are not those that went in");
    }
    sealed.resize(sealed.size() - 3);
    try {
        unseal(opening, sealed);
    } catch (const Error &error) {
        // A short package of the suite age cannot tell a cut from a change.
        if (error.code() != CW_ERR_TRUNCATED && error.code() != CW_ERR_ALTERED) {
            throw;
        }
        std::cout << suite << ": " << notes.size() << " notes there and back; cut short: " << error.what() << "\n";
        return;
    }
    throw std::runtime_error("a package that was cut short was taken for good");
}

int main() {
    try {
        const std::string password = "legacy-Secret1";
        const auto shared = make<cw_sealing_key>([&](cw_sealing_key **out, cw_error **error) {
            return cw_sealing_key_des_md5(bytes(password), password.size(), CW_STR("openssl"), nullptr, 0, out, error);
        });
        const auto same = make<cw_opening_key>([&](cw_opening_key **out, cw_error **error) {
            return cw_opening_key_des_md5(bytes(password), password.size(), CW_STR("openssl"), nullptr, 0, out, error);
        });
        there_and_back(shared.get(), same.get(), "des-md5");

        cw_buffer *recipient_out = nullptr;
        const auto identity = make<cw_buffer>(
            [&](cw_buffer **out, cw_error **error) { return cw_age_generate(out, &recipient_out, error); });
        const Handle<cw_buffer> recipient(recipient_out);
        const std::string secret = text(identity.get()), handed_out = text(recipient.get());
        const auto sealing = make<cw_sealing_key>([&](cw_sealing_key **out, cw_error **error) {
            return cw_sealing_key_age(handed_out.data(), handed_out.size(), out, error);
        });
        const auto opening = make<cw_opening_key>([&](cw_opening_key **out, cw_error **error) {
            return cw_opening_key_age(secret.data(), secret.size(), out, error);
        });
        there_and_back(sealing.get(), opening.get(), "age");
        return 0;
    } catch (const std::exception &error) {
        std::cerr << "sealed_notes: " << error.what() << "\n";
        return 1;
    }
}
