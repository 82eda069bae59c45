#include "filestorage/pack_proof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/file_builder.h"

namespace zrs::filestorage {
namespace {

using testing::HasSubstr;
using tests::FileBuilder;
using tests::TestTid;
using tests::TransactionSpec;

// The n-th transaction: a revision of each of these objects.
TransactionSpec Revision(uint64_t n, const std::vector<uint64_t>& oids, char status = kStatusComplete) {
  TransactionSpec transaction{.tid = TestTid(n), .status = status};
  for (const uint64_t oid : oids) transaction.records.push_back({.oid = oid, .data = "revision " + std::to_string(n)});
  return transaction;
}

FileBuilder Build(const std::vector<TransactionSpec>& transactions) {
  FileBuilder file;
  for (const TransactionSpec& transaction : transactions) file.Add(transaction);
  return file;
}

class PackProofTest : public testing::Test {
 protected:
  static PackProof Prove(const FileBuilder& new_file, const FileBuilder& old_file, bool old_is_there = true) {
    const auto reader = [](const FileBuilder& file) {
      return [&file](uint64_t offset, absl::Span<char> out) -> absl::StatusOr<size_t> {
        if (offset >= file.size()) return size_t{0};
        return file.bytes().copy(out.data(), out.size(), offset);
      };
    };
    const auto read_new = reader(new_file);
    const auto read_old = reader(old_file);
    const ReadFunction old_function = read_old;
    return ProvePack(read_new, new_file.magic(), new_file.end(), old_file.end(), old_is_there ? &old_function : nullptr)
        .value();
  }

  // Objects 0 (the root) and 1, each changed twice.
  const FileBuilder old_ = Build({Revision(1, {0}), Revision(2, {0, 1}), Revision(3, {1})});
};

TEST_F(PackProofTest, TheLastTransactionIsStillThere) {
  EXPECT_TRUE(Prove(Build({Revision(2, {0}, 'p'), Revision(3, {1}, 'p')}), old_, false).proved());
  EXPECT_TRUE(Prove(Build({Revision(2, {0}, 'p'), Revision(3, {1}), Revision(4, {0})}), old_, false).proved());
}

TEST_F(PackProofTest, TheLastTransactionWentIntoALaterPackedOne) {
  const FileBuilder packed = Build({Revision(2, {0}, 'p'), Revision(4, {1}, 'p'), Revision(5, {0})});
  EXPECT_TRUE(Prove(packed, old_, false).proved());
}

TEST_F(PackProofTest, AnOldFileWithoutTransactionsLacksNothing) {
  EXPECT_TRUE(Prove(old_, FileBuilder(), false).proved());
  EXPECT_TRUE(Prove(FileBuilder(), FileBuilder(), false).proved());
}

TEST_F(PackProofTest, AnOlderBackupIsNone) {
  const PackProof proof = Prove(Build({Revision(1, {0}), Revision(2, {0, 1})}), old_);
  EXPECT_FALSE(proof.proved());
  EXPECT_THAT(proof.reason, HasSubstr(TidHex(TestTid(3))));
}

TEST_F(PackProofTest, AnOlderBackupThatWentOnIsNone) {
  EXPECT_FALSE(Prove(Build({Revision(1, {0}), Revision(2, {0, 1}), Revision(9, {1})}), old_).proved());
}

TEST_F(PackProofTest, AnOlderBackupThatWasPackedIsNone) {
  const FileBuilder backup = Build({Revision(2, {0, 1}, 'p'), Revision(9, {0})});
  const PackProof proof = Prove(backup, old_);
  EXPECT_FALSE(proof.proved());
  EXPECT_THAT(proof.reason, HasSubstr("an older revision"));
}

TEST_F(PackProofTest, AnEmptyFileIsNone) { EXPECT_FALSE(Prove(FileBuilder(), old_).proved()); }

TEST_F(PackProofTest, APackThatDropsGarbageAtTheEnd) {
  // Object 7 was never reachable; the last transaction has no records at all.
  const FileBuilder old_file =
      Build({Revision(1, {0}), Revision(2, {0, 1}), Revision(3, {7}), Revision(4, {7}), Revision(5, {})});
  const FileBuilder packed = Build({Revision(2, {0, 1}, 'p')});
  EXPECT_TRUE(Prove(packed, old_file).proved());
  EXPECT_TRUE(Prove(Build({Revision(2, {0, 1}, 'p'), Revision(6, {0})}), old_file).proved());
  const PackProof proof = Prove(packed, old_file, /*old_is_there=*/false);
  EXPECT_FALSE(proof.proved());
  EXPECT_THAT(proof.reason, HasSubstr("the old file is gone"));
}

// Nobody needs to have seen the first of two packs: what it dropped is superseded by what it kept, or is gone for good.
TEST_F(PackProofTest, APackOfAPackIsOneOfTheFirstFileToo) {
  const FileBuilder old_file = Build({Revision(1, {0}), Revision(2, {0, 1}), Revision(3, {7}), Revision(4, {})});
  const FileBuilder first = Build({Revision(2, {0, 1}, 'p'), Revision(4, {}, 'p'), Revision(5, {}), Revision(6, {1})});
  EXPECT_TRUE(Prove(first, old_file).proved());
  for (const FileBuilder& second :
       {Build({Revision(2, {0, 1}, 'p'), Revision(6, {1})}), Build({Revision(2, {0}, 'p'), Revision(6, {1}, 'p')})}) {
    EXPECT_TRUE(Prove(second, first).proved());
    EXPECT_TRUE(Prove(second, old_file).proved());
  }
}

// No row of packs drops a revision and keeps an older one, though an empty transaction is all that is behind it.
TEST_F(PackProofTest, AnOlderBackupThatLacksAnEmptyTransactionAtTheEndTooIsNone) {
  const FileBuilder old_file = Build({Revision(1, {0}), Revision(2, {0, 1}), Revision(3, {1}), Revision(4, {})});
  const FileBuilder backup = Build({Revision(2, {0, 1}, 'p'), Revision(9, {0})});
  EXPECT_THAT(Prove(backup, old_file).reason, HasSubstr("an older revision"));
}

TEST_F(PackProofTest, APackOfAnotherFileIsNone) {
  EXPECT_THAT(Prove(Build({{.tid = TestTid(2) + 1, .status = 'p', .records = {{.oid = 0, .data = "x"}}}}), old_).reason,
              HasSubstr("was not in the old file"));
}

TEST_F(PackProofTest, TooMuchIsMissing) {
  std::vector<TransactionSpec> transactions = {Revision(1, {0})};
  for (uint64_t n = 2; n < 103; ++n) {
    std::vector<uint64_t> oids;
    for (uint64_t oid = 0; oid < 1000; ++oid) oids.push_back(n * 1000 + oid);
    transactions.push_back(Revision(n, oids));
  }
  EXPECT_THAT(Prove(Build({Revision(1, {0}, 'p')}), Build(transactions)).reason, HasSubstr("too much"));
}

TEST_F(PackProofTest, DamageIsAnError) {
  FileBuilder file = Build({Revision(1, {0}), Revision(9, {1})});
  std::string bytes = file.bytes();
  bytes[bytes.size() - 1] ^= 1;
  const auto read = [&bytes](uint64_t offset, absl::Span<char> out) -> absl::StatusOr<size_t> {
    return bytes.copy(out.data(), out.size(), offset);
  };
  EXPECT_EQ(ProvePack(read, file.magic(), file.end(), old_.end(), nullptr).status().code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace zrs::filestorage
