// XXH3 digests of byte ranges. They find accidents (bit rot, a wrong file, a bug), not adversaries.
#ifndef ZRS_FILESTORAGE_DIGEST_H_
#define ZRS_FILESTORAGE_DIGEST_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zrs::filestorage {

// A 128-bit XXH3 digest. The default value (all zero) stands for "no digest". Plain value; any thread.
struct Digest {
  uint64_t high = 0;
  uint64_t low = 0;

  // 16 bytes, the canonical (big-endian) form of XXH128, as it travels in messages.
  std::string ToBytes() const;
  // InvalidArgument unless `bytes` has exactly 16 bytes.
  static absl::StatusOr<Digest> FromBytes(absl::string_view bytes);
  // 32 lower-case hex digits, as xxhsum -H2 prints it and as it stands in state files and messages to people.
  std::string ToHex() const;
  // In either case. InvalidArgument unless `hex` has exactly 32 hex digits.
  static absl::StatusOr<Digest> FromHex(absl::string_view hex);

  friend bool operator==(const Digest&, const Digest&) = default;
};

// The digest of `bytes` in one call.
Digest DigestOf(absl::string_view bytes);

// The digest of bytes that arrive in pieces. Not thread-safe; copyable (the copy goes on by itself).
class Digester {
 public:
  Digester();
  Digester(const Digester& other);
  Digester& operator=(const Digester& other);
  ~Digester();

  void Reset();
  void Update(absl::string_view bytes);
  // Of all bytes since construction or Reset(); more may follow.
  Digest Finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_DIGEST_H_
