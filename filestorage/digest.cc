#include "filestorage/digest.h"

#include <xxhash.h>

// The library's own default is what every x86-64 has (SSE2). With this header its functions choose by the processor
// that they run on: three to five times as fast with AVX.
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif

#include <new>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace zrs::filestorage {
namespace {

constexpr size_t kDigestSize = 16;

Digest FromXxh(const XXH128_hash_t& hash) { return {.high = hash.high64, .low = hash.low64}; }

}  // namespace

std::string Digest::ToBytes() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH128_hash_t{.low64 = low, .high64 = high});
  return std::string(reinterpret_cast<const char*>(canonical.digest), kDigestSize);
}

absl::StatusOr<Digest> Digest::FromBytes(absl::string_view bytes) {
  if (bytes.size() != kDigestSize) {
    return absl::InvalidArgumentError(absl::StrCat("a digest has ", kDigestSize, " bytes, not ", bytes.size()));
  }
  XXH128_canonical_t canonical;
  bytes.copy(reinterpret_cast<char*>(canonical.digest), kDigestSize);
  return FromXxh(XXH128_hashFromCanonical(&canonical));
}

std::string Digest::ToHex() const { return absl::BytesToHexString(ToBytes()); }

absl::StatusOr<Digest> Digest::FromHex(absl::string_view hex) {
  bool all_hex = hex.size() == 2 * kDigestSize;
  for (const char c : hex) all_hex = all_hex && absl::ascii_isxdigit(static_cast<unsigned char>(c));
  if (!all_hex) {
    return absl::InvalidArgumentError(
        absl::StrCat("a digest is written as ", 2 * kDigestSize, " hex digits, not as '", absl::CHexEscape(hex), "'"));
  }
  return FromBytes(absl::HexStringToBytes(hex));
}

Digest DigestOf(absl::string_view bytes) { return FromXxh(XXH3_128bits(bytes.data(), bytes.size())); }

// The library wants its state at a 64-byte boundary, which only its own allocation promises.
struct Digester::State {
  State() : xxh(XXH3_createState()) {
    if (xxh == nullptr) throw std::bad_alloc();
  }
  ~State() { XXH3_freeState(xxh); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  XXH3_state_t* xxh;
};

Digester::Digester() : state_(std::make_unique<State>()) { Reset(); }
Digester::Digester(const Digester& other) : state_(std::make_unique<State>()) {
  XXH3_copyState(state_->xxh, other.state_->xxh);
}
Digester& Digester::operator=(const Digester& other) {
  if (this != &other) XXH3_copyState(state_->xxh, other.state_->xxh);
  return *this;
}
Digester::~Digester() = default;

void Digester::Reset() { XXH3_128bits_reset(state_->xxh); }
void Digester::Update(absl::string_view bytes) {
  if (!bytes.empty()) XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size());
}
Digest Digester::Finish() const { return FromXxh(XXH3_128bits_digest(state_->xxh)); }

}  // namespace zrs::filestorage
