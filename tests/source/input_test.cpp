#include "support/catch.hpp"

#include <filesystem>
#include <fstream>
#include <thread>

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>

#include "luatrail/source/collect.hpp"
#include "luatrail/source/input.hpp"
#include "source/support.hpp"
#include "support/temp_dir.hpp"

namespace fs = std::filesystem;
using namespace luatrail;
using source::Input;
using source::InputFailure;
using source_test::Recorder;

namespace {

using Directory = test::TempDir;

std::string record(int second, const std::string& body = "a=b") {
    return "type=CWD msg=audit(" + std::to_string(1000000000 + second) + ".000:1): " + body + "\n";
}
std::string shown(int second, const std::string& body = "a=b") {
    return "|CWD|1307|" + std::to_string(1000000000 + second) + ".000:1|" + body + "|";
}

struct Member {
    std::string name;
    std::string content;
};

la_ssize_t append(archive* /*unused*/, void* out, const void* bytes, std::size_t size) {
    static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
}

std::string pack(int (*format)(archive*), int (*filter)(archive*), const std::vector<Member>& members) {
    std::string out;
    archive* writer = archive_write_new();
    REQUIRE(format(writer) == ARCHIVE_OK);
    REQUIRE(filter(writer) == ARCHIVE_OK);
    REQUIRE(archive_write_set_bytes_in_last_block(writer, 1) == ARCHIVE_OK); // or it pads with NULs
    REQUIRE(archive_write_open(writer, &out, nullptr, append, nullptr) == ARCHIVE_OK);
    for (const auto& member : members) {
        archive_entry* entry = archive_entry_new();
        archive_entry_set_pathname(entry, member.name.c_str());
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0600);
        archive_entry_set_size(entry, static_cast<la_int64_t>(member.content.size()));
        REQUIRE(archive_write_header(writer, entry) == ARCHIVE_OK);
        archive_write_data(writer, member.content.data(), member.content.size());
        archive_entry_free(entry);
    }
    archive_write_close(writer);
    archive_write_free(writer);
    return out;
}

std::string compress(int (*filter)(archive*), const std::string& content) {
    return pack(archive_write_set_format_raw, filter, {{"data", content}});
}

struct Outcome {
    std::vector<std::string> records;
    std::vector<std::string> failures; // "path: reason"
    std::uint64_t progress = 0;
};

Outcome read(const std::vector<std::string>& paths) {
    std::vector<InputFailure> failures;
    Recorder recorder;
    Outcome outcome;
    const auto parser = source::make_parser(source::ParserKind::native, recorder);
    for (const auto& input : source::collect_inputs(paths, failures)) {
        const auto progress = [&](std::uint64_t bytes) { outcome.progress += bytes; };
        if (auto failure = source::read_input(input, *parser, progress)) {
            failures.push_back(*failure);
        }
    }
    outcome.records = recorder.records;
    for (const auto& failure : failures) {
        outcome.failures.push_back(failure.path + ": " + failure.reason);
    }
    return outcome;
}

using Lines = std::vector<std::string>;

} // namespace

TEST_CASE("rotated logs are read in the order of their content, however they are named") {
    const Directory directory;
    const auto first = directory.write("z.log", record(1));
    const auto second = directory.write("m.log", record(2));
    const auto third = directory.write("a.log", record(3));
    const auto none = directory.write("0.log", "nothing here\n");
    const auto outcome = read({none, third, first, second});
    CHECK(outcome.records == Lines{shown(1), shown(2), shown(3)});
    CHECK(outcome.failures == Lines{});
    CHECK(outcome.progress == 3 * record(1).size() + 13);

    std::vector<InputFailure> failures;
    Lines order;
    for (const auto& input : source::collect_inputs({none, third, "-", first, second}, failures)) {
        order.push_back(input.path);
    }
    CHECK(order == Lines{first, second, "-", third, none});
}

namespace {

// Records of one kernel, two a second from 2026 on; the numbers go on where others come between.
std::string log_of(int from, int to, std::int64_t start = 1'795'000'000, int serial = 1000) {
    std::string text;
    for (int at = from; at < to; ++at) {
        text +=
            "type=CWD msg=audit(" + std::to_string(start + at / 2) + ".000:" + std::to_string(serial + at) + "): a=b\n";
    }
    return text;
}

std::vector<int> serials(const Outcome& outcome) {
    std::vector<int> found;
    for (const auto& one : outcome.records) {
        found.push_back(std::stoi(one.substr(one.rfind(':') + 1)));
    }
    return found;
}

std::vector<int> counted(int from, int to) {
    std::vector<int> numbers;
    for (int at = from; at < to; ++at) {
        numbers.push_back(at);
    }
    return numbers;
}

} // namespace

TEST_CASE("rotated logs that were put together in another order are read in that of their time") {
    const Directory directory;
    // As `cat audit.log*` does: the newest first, and 10 between 1 and 2.
    const auto small =
        directory.write("all.log", log_of(900, 1000) + log_of(800, 900) + log_of(0, 100) + log_of(100, 800));
    CHECK(serials(read({small})) == counted(1000, 2000));
    CHECK(read({small}).progress == log_of(0, 1000).size());
    // A file between them in time stands behind the other two.
    const auto between = directory.write("between.log", log_of(0, 100) + log_of(500, 600) + log_of(100, 500));
    CHECK(serials(read({between})) == counted(1000, 1600));
    // Larger than what is read to see it, its end without a newline.
    auto text = log_of(40'000, 90'000) + log_of(0, 40'000);
    text.pop_back();
    const auto large = directory.write("large.log", text);
    CHECK(serials(read({large})) == counted(1000, 91'000));
    // Among others.
    const auto later = directory.write("later.log", log_of(1000, 1100));
    CHECK(serials(read({later, small})) == counted(1000, 2100));
    // What is no record stays before the record that it stood before.
    const auto spoiled = directory.write("spoiled.log", "x\n" + log_of(100, 200) + "y\n" + log_of(0, 100));
    CHECK(serials(read({spoiled})) == counted(1000, 1200));
}

TEST_CASE("a clock that goes back, and logs of several hosts in one, are read as they stand") {
    const Directory directory;
    const auto as_it_stands = [&](const std::string& text) {
        const auto path = directory.write("one.log", text);
        std::vector<InputFailure> failures;
        const auto inputs = source::collect_inputs({path}, failures);
        return inputs.size() == 1 && !inputs.front().piece_at && read({path}).progress == text.size();
    };
    constexpr std::int64_t start = 1'795'000'000;
    CHECK(as_it_stands(log_of(0, 1000)));
    CHECK(as_it_stands(log_of(0, 500) + log_of(500, 1000, start - 3600)));        // set back by an hour
    CHECK(as_it_stands(log_of(0, 500) + log_of(0, 100, 10, 1)));                  // booted in 1970
    CHECK(as_it_stands(log_of(0, 500) + log_of(0, 100, start - 400'000'000, 1))); // booted in 2014
    CHECK(as_it_stands(log_of(0, 500) + log_of(0, 500, start + 1000, 1)));        // booted
    CHECK(as_it_stands(log_of(0, 500) + log_of(0, 500, start + 3, 700'000)));     // another host at the same time
    CHECK(as_it_stands(log_of(0, 500) + log_of(0, 2) + log_of(500, 1000)));       // two lines twice
    CHECK(as_it_stands("no record\n"));
}

TEST_CASE("of rotated logs with a wrong clock the numbers in their names tell the order") {
    const Directory directory;
    const auto oldest = directory.write("audit.log.3", log_of(0, 10));
    const auto older = directory.write("audit.log.2", log_of(0, 10, 5, 1) + log_of(10, 20, 1'795'001'000, 1));
    const auto newer = directory.write("audit.log.1", log_of(20, 30, 1'795'001'000, 1));
    const auto newest = directory.write("audit.log", log_of(0, 10, 7, 1));
    const auto order = [](const std::vector<std::string>& paths) {
        std::vector<InputFailure> failures;
        Lines names;
        for (const auto& input : source::collect_inputs(paths, failures)) {
            names.push_back(input.path);
        }
        return names;
    };
    CHECK(order({newest, newer, older, oldest}) == Lines{oldest, older, newer, newest});
    CHECK(order({older, oldest}) == Lines{oldest, older});
    // A clock that is only a little wrong: the log goes on behind the one that is older.
    const auto wrong = directory.write("host.log.1", log_of(0, 10));
    const auto spans = directory.write("host.log", log_of(0, 10, 1'794'000'000, 1) + log_of(10, 20, 1'795'002'000, 1));
    CHECK(order({spans, wrong}) == Lines{wrong, spans});
    // Names that contradict good clocks are others' names.
    const auto first = directory.write("x.log", log_of(0, 10));
    const auto second = directory.write("x.log.1", log_of(10, 20));
    CHECK(order({second, first}) == Lines{first, second});
}

TEST_CASE("an event may go on over a file's end, and a last line needs no newline") {
    const Directory directory;
    const auto first = directory.write("audit.log.1", "type=SYSCALL msg=audit(1000000001.000:1): x=y");
    const auto second = directory.write("audit.log", record(1));
    CHECK(read({second, first}).records.size() == 2);
    CHECK(read({first, second}).records == Lines{"|SYSCALL|1300|1000000001.000:1|x=y|", shown(1)});
}

TEST_CASE("of a directory the logs are read, and those one directory below") {
    const Directory directory;
    directory.write("audit.log", record(9));
    directory.write("audit.log.1", record(8));
    directory.write("audit.log.2.gz", compress(archive_write_add_filter_gzip, record(7)));
    directory.write("audit.log-20260131.xz", compress(archive_write_add_filter_xz, record(6)));
    directory.write("web01/audit.log", record(5));
    directory.write("web01/deeper/audit.log", record(4));
    directory.write("old.tar",
                    pack(archive_write_set_format_pax, archive_write_add_filter_none, {{"audit.log", record(3)}}));
    directory.write("dpkg.log", "2026-01-31 12:00:00 install lua5.4\n");
    directory.write("notes.txt", record(2));
    directory.write("audit.log.9", "");
    const auto outcome = read({directory.path()});
    CHECK(outcome.records == Lines{shown(3), shown(5), shown(6), shown(7), shown(8), shown(9)});
    CHECK(outcome.failures == Lines{});
}

TEST_CASE("a log that is given twice is read once") {
    const Directory directory;
    const auto log = directory.write("audit.log", record(1));
    CHECK(read({log, directory.path(), log}).records == Lines{shown(1)});
}

TEST_CASE("compressed logs are recognised by their content") {
    const Directory directory;
    std::string log;
    Lines expected;
    for (int second = 0; second < 5000; ++second) {
        log += record(second);
        expected.push_back(shown(second));
    }
    for (const auto filter : {archive_write_add_filter_gzip, archive_write_add_filter_xz, archive_write_add_filter_zstd,
                              archive_write_add_filter_bzip2, archive_write_add_filter_lz4}) {
        const auto packed = compress(filter, log);
        REQUIRE(packed.size() < log.size() / 2);
        const auto outcome = read({directory.write("plain", packed)});
        CAPTURE(outcome.records.size());
        CHECK((outcome.records == expected));
        CHECK(outcome.failures == Lines{});
        CHECK(outcome.progress == packed.size());
    }
}

TEST_CASE("an archive's logs are read in the order of their content") {
    const Directory directory;
    const auto inner = compress(archive_write_add_filter_gzip, record(2));
    const std::vector<Member> members{{"sos/var/log/audit/audit.log", record(5) + record(6)},
                                      {"sos/var/log/audit/audit.log.1", record(3) + record(4)},
                                      {"sos/var/log/audit/audit.log.2.gz", inner},
                                      {"sos/var/log/audit/audit.log.3", ""},
                                      {"sos/var/log/dnf.log", "2026-01-31 nothing\n"},
                                      {"sos/etc/audit.conf", record(1)}};
    const Lines expected{shown(2), shown(3), shown(4), shown(5), shown(6)};
    for (const auto format : {archive_write_set_format_pax, archive_write_set_format_ustar,
                              archive_write_set_format_cpio_newc, archive_write_set_format_zip}) {
        for (const auto filter : {archive_write_add_filter_none, archive_write_add_filter_zstd}) {
            const auto packed = pack(format, filter, members);
            const auto outcome = read({directory.write("sos", packed)});
            CHECK(outcome.records == expected);
            CHECK(outcome.failures == Lines{});
            CHECK(outcome.progress <= packed.size());
        }
    }
}

TEST_CASE("a truncated compressed log is named with the byte that its reading came to") {
    const Directory directory;
    std::string log;
    for (int second = 0; second < 50000; ++second) {
        log += record(second, "cwd=\"/" + std::to_string(second * 7919 % 10007) + "\"");
    }
    for (const auto filter : {archive_write_add_filter_gzip, archive_write_add_filter_xz, archive_write_add_filter_zstd,
                              archive_write_add_filter_bzip2}) {
        const auto packed = compress(filter, log);
        const auto path = directory.write("audit.log.1.gz", packed.substr(0, packed.size() / 2));
        const auto outcome = read({path});
        CHECK(outcome.records.size() < 50000);
        REQUIRE(outcome.failures.size() == 1);
        CAPTURE(outcome.failures[0]);
        CHECK(outcome.failures[0].starts_with(path + ": "));
        CHECK(outcome.failures[0].ends_with("read up to byte " + std::to_string(packed.size() / 2)));
    }
}

TEST_CASE("the records before the cut of a truncated gzip file are read, however small the file is") {
    const Directory directory;
    for (const std::size_t lines : {40, 20000}) {
        std::string log;
        for (std::size_t second = 0; second < lines; ++second) {
            log += record(static_cast<int>(second), "cwd=\"/" + std::to_string(second * 7919 % 10007) + "\"");
        }
        auto whole = read({directory.write("audit.log", log)}).records;
        REQUIRE(whole.size() == lines);
        const auto packed = compress(archive_write_add_filter_gzip, log);
        auto cut = read({directory.write("audit.log.1.gz", packed.substr(0, packed.size() / 2))});
        CHECK(cut.failures.size() == 1);
        REQUIRE(cut.records.size() > lines / 4); // the code tables at its start make the file's halves unequal
        REQUIRE(cut.records.size() < lines);
        cut.records.pop_back(); // its line may be cut
        whole.resize(cut.records.size());
        CHECK((cut.records == whole));
    }
}

TEST_CASE("a gzip file of which only the trailer is cut loses its last record at most, and takes its place in time") {
    const Directory directory;
    const auto later = directory.write("audit.log", record(2));
    const auto packed = compress(archive_write_add_filter_gzip, record(0) + record(1, "c=d"));
    for (std::size_t missing = 1; missing <= 8; ++missing) { // checksum and size
        const auto outcome =
            read({later, directory.write("audit.log.1.gz", packed.substr(0, packed.size() - missing))});
        CAPTURE(missing);
        REQUIRE(outcome.records.size() >= 2);
        CHECK(outcome.records.front() == shown(0));
        CHECK(outcome.records.back() == shown(2));
        CHECK(outcome.failures.size() == 1);
    }
}

TEST_CASE("of a truncated compressed archive no archive bytes are taken for text") {
    const Directory directory;
    std::string log;
    for (int second = 0; second < 2000; ++second) {
        log += record(second * 7919 % 10007);
    }
    const auto packed = pack(archive_write_set_format_pax, archive_write_add_filter_gzip, {{"audit.log", log}});
    for (const auto size : {packed.size() / 8, packed.size() / 2}) {
        std::vector<InputFailure> failures;
        Recorder recorder;
        const auto parser = source::make_parser(source::ParserKind::native, recorder);
        const auto path = directory.write("sos.tar.gz", packed.substr(0, size));
        CHECK(source::read_input({path, std::nullopt, 0}, *parser).has_value());
        CHECK(recorder.malformed.size() <= 1); // the line at the cut
    }
}

TEST_CASE("what can't be read is named with its reason, and the others are read") {
    const Directory directory;
    const auto log = directory.write("good.log", record(1));
    const auto empty = directory.write("empty.log", "");
    const auto binary = directory.write("binary.log", std::string("\x7f"
                                                                  "ELF\0\0\0\n\0x\n",
                                                                  11));
    const auto no_logs = directory.write("sub/readme.txt", record(2));
    const auto bundle = directory.write(
        "bundle", pack(archive_write_set_format_pax, archive_write_add_filter_gzip, {{"readme", record(3)}}));
    const auto missing = directory.path("missing.log");
    const auto outcome = read({missing, empty, binary, fs::path(no_logs).parent_path().string(), bundle, log});
    CHECK(outcome.records == Lines{shown(1)});
    CHECK(outcome.failures == Lines{missing + ": No such file or directory", empty + ": empty file",
                                    fs::path(no_logs).parent_path().string() + ": no audit logs in this directory",
                                    binary + ": binary file", bundle + ": no audit logs in this archive"});
}

TEST_CASE("a log with a damaged region is no binary file") {
    const Directory directory;
    const auto log = directory.write("audit.log", std::string(5000, '\0') + "\n" + record(1));
    const auto outcome = read({log});
    CHECK(outcome.records == Lines{shown(1)});
    CHECK(outcome.failures == Lines{});
}

TEST_CASE("a log without permission is named with a remedy") {
    if (::geteuid() == 0) {
        SUCCEED("root may read everything");
        return;
    }
    const Directory directory;
    const auto log = directory.write("audit.log", record(1));
    REQUIRE(::chmod(log.c_str(), 0) == 0);
    std::vector<InputFailure> failures;
    CHECK(source::collect_inputs({log}, failures).empty());
    REQUIRE(failures.size() == 1);
    CHECK(failures[0].reason == "Permission denied");
    CHECK(failures[0].remedy == "run as root or as a member of the log's group");
}

TEST_CASE("an error in the middle of reading is reported") {
    // Reading one's own memory at address 0 fails with EIO, with any permissions.
    Recorder recorder;
    const auto parser = source::make_parser(source::ParserKind::native, recorder);
    const auto failure = source::read_input({"/proc/self/mem", std::nullopt, 0}, *parser);
    REQUIRE(failure.has_value());
    CHECK(failure->path == "/proc/self/mem");
    CHECK(failure->reason == "Input/output error");
}

TEST_CASE("a pipe is read as a stream, also a compressed one") {
    const Directory directory;
    const auto pipe = directory.path("pipe");
    const auto log = record(1) + record(2);
    for (const auto& content : {log, compress(archive_write_add_filter_gzip, log)}) {
        REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
        std::thread writer([&] { // in two pieces, the first too short to tell what it is
            std::ofstream out(pipe, std::ios::binary);
            out << content.substr(0, 1) << std::flush;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            out << content.substr(1);
        });
        const auto outcome = read({pipe});
        writer.join();
        CHECK(outcome.records == Lines{shown(1), shown(2)});
        CHECK(outcome.failures == Lines{});
        fs::remove(pipe);
    }
}
