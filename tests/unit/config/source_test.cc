#include "probe/config/source.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/unit/config/test_kinds.h"

namespace slosonde::config {
namespace {

class SourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = std::filesystem::temp_directory_path() / "slosonde-source-XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
    return folder_ + "/" + name;
  }

  std::string folder_;
};

constexpr const char* kText =
    "probe: {name: a, key_file: key}\n"
    "transactions: [{name: t, every: 5s, stages: [{name: a, within: 1s, http: {url: \"http://h/\", body: "
    "\"${env:SLOSONDE_TEST_BODY}\"}}]}]\n";

TEST_F(SourceTest, ReadsTheFileItsSecretsAndTheEnvironment) {
  write("key", "0123456789abcdef\n");
  setenv("SLOSONDE_TEST_BODY", "from the environment", 1);
  const auto source = open_source(write("config.yaml", kText));
  ASSERT_TRUE(source) << source.error().text;
  EXPECT_FALSE(source->hostname.empty());
  const auto config = load(*source, test::kinds());
  unsetenv("SLOSONDE_TEST_BODY");
  ASSERT_TRUE(config) << config.error().text("config.yaml");
  EXPECT_EQ(config->probe.key.reveal(), "0123456789abcdef");
  EXPECT_EQ(config->transactions[0].stages[0].use.values.text_template("body").source(), "from the environment");
}

TEST_F(SourceTest, SaysWhyAFileCannotBeRead) {
  EXPECT_EQ(open_source(folder_ + "/missing.yaml").error().text,
            "cannot read " + folder_ + "/missing.yaml: No such file or directory");
  EXPECT_EQ(open_source(folder_).error().text, "cannot read " + folder_ + ": it is a folder, not a file");
  EXPECT_EQ(read_small_file(write("large", std::string(2049, 'x')), 2048).error().text,
            "cannot read " + folder_ + "/large: it is larger than 2KiB");
  EXPECT_TRUE(read_small_file(write("fits", std::string(2048, 'x')), 2048));
}

TEST_F(SourceTest, SaysWhichKeyFileMayNotBeRead) {
  if (geteuid() == 0) {
    // Root may read everything; there is nothing to be denied.
    ASSERT_EQ(open_source(folder_ + "/none").error().code, ErrorCode::io_failed);
    return;
  }
  const std::string key = write("key", "0123456789abcdef\n");
  ASSERT_EQ(chmod(key.c_str(), 0), 0);
  const auto config = load(*open_source(write("config.yaml", kText)), test::kinds());
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().list()[0].message, "cannot read " + key +
                                                  ": Permission denied; the file must be readable "
                                                  "for slosonde, and at most 64KiB");
}

TEST_F(SourceTest, DoesNotWaitForAPipeNorReadAnEndlessFile) {
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_small_file(pipe, 100).value_or("not empty"), "");
  const auto endless = open_source("/dev/zero");
  ASSERT_TRUE(endless);
  EXPECT_EQ(endless->text.size(), kMaxFileBytes + 1);
  EXPECT_EQ(load(*endless, test::kinds()).error().list().at(0).rule, Rule::file_too_large);
}

}  // namespace
}  // namespace slosonde::config
