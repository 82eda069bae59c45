// Whatever is in the file, the loader answers. The seed is printed with a failure; sanitizers see the rest.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sidecar/config/loader.h"
#include "tests/sidecar/config/test_environment.h"

namespace zrs::config {
namespace {

constexpr int kRounds = 3000;

constexpr absl::string_view kPieces[] = {"<zrs main>\n",
                                         "</zrs>\n",
                                         "<primary 1>\n",
                                         "</primary>\n",
                                         "<secondary>\n",
                                         "</secondary>\n",
                                         "<sidecar>\n",
                                         "</sidecar>\n",
                                         "<filestorage>\n",
                                         "</filestorage>\n",
                                         "<blobstorage>\n",
                                         "</blobstorage>\n",
                                         "<a/>\n",
                                         "path /data/Data.fs\n",
                                         "path ",
                                         "replicate-to 5000\n",
                                         "replicate-from [::1]:5000\n",
                                         "address host:1\n",
                                         "blob-dir x\n",
                                         "blobs external\n",
                                         "insecure on\n",
                                         "keep-alive-delay 1",
                                         "max-followers ",
                                         "%define a b\n",
                                         "%define ",
                                         "%include /etc/zrs.conf\n",
                                         "%include other\n",
                                         "%import zc.zrs\n",
                                         "zeo-conf other\n",
                                         "zeo-storage main\n",
                                         "owner zope\n",
                                         "mode 64",
                                         "$a",
                                         "${a}",
                                         "$(HOME)",
                                         "$$",
                                         "$",
                                         "\n",
                                         " ",
                                         "\t",
                                         "\xC2\xA0",
                                         "\xE2\x80",
                                         "\xFF",
                                         "#",
                                         "<",
                                         ">",
                                         "/",
                                         "(",
                                         ")",
                                         "%",
                                         "9",
                                         "ms",
                                         ".",
                                         "-",
                                         ":",
                                         "[",
                                         "]"};

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  size_t Below(size_t n) { return static_cast<size_t>(engine_() % n); }

 private:
  std::mt19937 engine_;
};

std::string RandomBytes(Random& random) {
  std::string text;
  for (size_t n = random.Below(400); n > 0; --n) text.push_back(static_cast<char>(random.Below(256)));
  return text;
}

std::string RandomPieces(Random& random) {
  std::string text;
  for (size_t n = random.Below(40); n > 0; --n) absl::StrAppend(&text, kPieces[random.Below(std::size(kPieces))]);
  return text;
}

// A sound configuration with some bytes changed, dropped or inserted.
std::string Damaged(Random& random) {
  std::string text =
      "%define D /data\n<sidecar>\nlog-level info\nstop-timeout 5m\n</sidecar>\n<zrs main>\nreplicate-from host:5000\n"
      "replicate-to 5001\nkeep-alive-delay 1.5s\n<zlibstorage>\n<filestorage>\npath $D/Data.fs\n</filestorage>\n"
      "</zlibstorage>\n</zrs>\n";
  for (size_t n = random.Below(4); n > 0; --n) {
    const size_t at = random.Below(text.size());
    switch (random.Below(3)) {
      case 0:
        text[at] = static_cast<char>(random.Below(256));
        break;
      case 1:
        text.erase(at, random.Below(10));
        break;
      default:
        text.insert(at, kPieces[random.Below(std::size(kPieces))].data());
    }
  }
  return text;
}

void Check(const std::string& text, uint32_t seed, const std::string* zeo_conf = nullptr) {
  const TestWorld world{
      {{"/etc/zrs.conf", text}, {"/etc/other", zeo_conf != nullptr ? *zeo_conf : text}}, {{"HOME", "/h"}}, {}, 0};
  const absl::StatusOr<Settings> settings = LoadSettings("/etc/zrs.conf", MakeEnvironment(world));
  if (settings.ok()) {
    EXPECT_FALSE(settings->storages.empty()) << "seed " << seed;
    return;
  }
  const std::string message(settings.status().message());
  EXPECT_TRUE(absl::StartsWith(message, "/etc/")) << message << "\nseed " << seed;
  EXPECT_TRUE(absl::StrContains(message, "; ")) << message << "\nseed " << seed;
  EXPECT_LT(message.size(), 2000u) << "seed " << seed;
}

// The same for the database's own configuration.
void CheckZeoConf(const std::string& text, uint32_t seed) {
  Check("<zrs>\nreplicate-to 1\nzeo-conf other\nzeo-storage main\n</zrs>\n", seed, &text);
}

TEST(RandomInput, Bytes) {
  for (uint32_t seed = 0; seed < kRounds; ++seed) {
    Random random(seed);
    const std::string text = RandomBytes(random);
    Check(text, seed);
    CheckZeoConf(text, seed);
  }
}

TEST(RandomInput, PiecesOfTheGrammar) {
  for (uint32_t seed = 0; seed < kRounds; ++seed) {
    Random random(seed);
    const std::string text = RandomPieces(random);
    Check(text, seed);
    CheckZeoConf(text, seed);
  }
}

TEST(RandomInput, DamagedConfiguration) {
  for (uint32_t seed = 0; seed < kRounds; ++seed) {
    Random random(seed);
    const std::string text = Damaged(random);
    Check(text, seed);
    CheckZeoConf(text, seed);
  }
}

}  // namespace
}  // namespace zrs::config
