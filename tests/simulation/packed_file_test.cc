// What the simulation takes for a pack has to be one: what a pack does not do would look like a fault of the program.
#include "tests/simulation/packed_file.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "filestorage/boundary.h"
#include "filestorage/boundary_probe.h"
#include "filestorage/pack_proof.h"
#include "filestorage/scanner.h"
#include "gtest/gtest.h"
#include "tests/support/file_builder.h"

namespace zrs::simulation {
namespace {

using filestorage::Boundary;
using filestorage::PackProof;
using tests::TransactionSpec;

constexpr filestorage::Magic kMagic = filestorage::Magic::kFs30;

Boundary EndOf(absl::string_view file) {
  filestorage::Scanner scanner(kMagic, filestorage::FirstBoundary(kMagic));
  scanner.Feed(file.substr(filestorage::kMagicSize));
  EXPECT_EQ(scanner.last().offset, file.size());
  return scanner.last();
}

// Revisions of a few objects, and transactions without records.
std::string GoOn(std::string file, uint64_t first, uint64_t count, SeededRandom& random) {
  for (uint64_t n = first; n < first + count; ++n) {
    TransactionSpec transaction{.tid = tests::TestTid(n)};
    for (uint64_t i = random.Below(3); i > 0; --i) {
      transaction.records.push_back({.oid = random.Below(6), .data = random.Bytes(5)});
    }
    file += tests::EncodeTransaction(transaction, file.size());
  }
  return file;
}

PackProof Prove(absl::string_view pack, absl::string_view before) {
  const auto reader = [](absl::string_view file) {
    return [file](uint64_t offset, absl::Span<char> out) -> absl::StatusOr<size_t> {
      return offset < file.size() ? file.copy(out.data(), out.size(), offset) : size_t{0};
    };
  };
  const auto read_new = reader(pack);
  const auto read_old = reader(before);
  const filestorage::ReadFunction old_function = read_old;
  return filestorage::ProvePack(read_new, kMagic, EndOf(pack), EndOf(before), &old_function).value();
}

// A follower that has not seen the first pack is to take the second for one of its own file.
TEST(PackedFileTest, TwoInSuccessionAreAPackOfTheFirstFileToo) {
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    SeededRandom random(seed);
    const std::string magic(filestorage::MagicBytes(kMagic));
    const std::string first = GoOn(magic, 1, random.Between(1, 12), random);
    const std::string second = GoOn(PackedFile(first, random.OneIn(2), random), 20, random.Below(3), random);
    const std::string third = PackedFile(second, true, random);
    EXPECT_EQ(Prove(second, first).reason, "") << "seed " << seed;
    EXPECT_EQ(Prove(third, second).reason, "") << "seed " << seed;
    EXPECT_EQ(Prove(third, first).reason, "") << "seed " << seed;
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace zrs::simulation
