#include <string>
#include <vector>

#include "audit/support.hpp"

namespace typed_test {

using namespace luatrail;
using audit::Call;
using audit::PathItem;
using namespace audit_test;
using namespace std::string_literals;

namespace {

const std::string stamp = "1795572010.666:108274";

// "0 /tmp/a 7@fe00000000 100644 CREATE | 1 - ...": nothing is "-".
std::string paths_text(const audit::TypedEvent& event) {
    const char* const types[] = {"UNKNOWN", "NORMAL", "PARENT", "CREATE", "DELETE"};
    std::string text;
    for (const auto& item : event.paths) {
        text +=
            fmt::format("{}{} {} {}@{} {} {}", text.empty() ? "" : " | ", item.item, item.name.value_or("-"),
                        item.inode ? std::to_string(*item.inode) : "-", item.dev ? fmt::format("{:x}", *item.dev) : "-",
                        item.mode ? fmt::format("{:o}", *item.mode) : "-", types[static_cast<int>(item.nametype)]);
    }
    return text;
}

std::string path_of(const std::string& body) {
    return paths_text(event_of(line("PATH", stamp, body))->typed());
}

audit::Syscall syscall_of(const std::string& body, std::unique_ptr<Kept>& keep) {
    keep = event_of(line("SYSCALL", stamp, body));
    return keep->typed().syscall;
}

} // namespace

TEST_CASE("a system call's record is read whole") {
    std::unique_ptr<Kept> keep;
    const auto call =
        syscall_of("arch=c000003e syscall=59 success=yes exit=0 a0=55df330a3c10 a1=7ffd a2=0 a3=8 items=2 "
                   "ppid=7 pid=8 auid=1000 uid=33 gid=34 euid=35 suid=36 fsuid=37 egid=38 sgid=39 fsgid=40 "
                   "tty=pts0 ses=3 comm=\"lua5.4\" exe=\"/usr/bin/lua5.4\" subj=unconfined key=\"lua\""
                   "\x1d"
                   "ARCH=x86_64 SYSCALL=execve AUID=\"ann\" UID=\"www-data\" GID=\"x\"",
                   keep);
    CHECK(call.arch_text == "c000003e");
    CHECK(call.call_text == "59");
    CHECK(call.call == Call::execve);
    CHECK(call.success == true);
    CHECK(call.exit == 0);
    CHECK(call.a[0] == 0x55df330a3c10);
    CHECK(call.a[3] == 8);
    CHECK(call.ppid == 7U);
    CHECK(call.pid == 8U);
    CHECK(call.auid == 1000U);
    CHECK(call.uid == 33U);
    CHECK(call.gid == 34U);
    CHECK(call.euid == 35U);
    CHECK(call.session == 3U);
    CHECK(call.tty == "pts0");
    CHECK(call.comm == "lua5.4");
    CHECK(call.exe == "/usr/bin/lua5.4");
    CHECK(call.key == "lua");
    CHECK(call.user == "www-data");
    CHECK(keep->typed().partial); // two PATH records were announced
}

TEST_CASE("what a record does not say, or says as unset, is nothing") {
    std::unique_ptr<Kept> keep;
    auto call = syscall_of("arch=c000003e syscall=231 a0=0 items=0 ppid=x pid=-5 auid=4294967295 uid=4294967296 "
                           "ses=4294967295 tty=(none) comm=(null) exe=(null) key=(null)",
                           keep);
    CHECK(call.call == Call::exit_group);
    CHECK(call.success == std::nullopt);
    CHECK(call.exit == std::nullopt);
    CHECK(call.ppid == std::nullopt);
    CHECK(call.pid == std::nullopt);
    CHECK(call.auid == std::nullopt);
    CHECK(call.uid == std::nullopt);
    CHECK(call.session == std::nullopt);
    CHECK(call.tty == std::nullopt);
    CHECK(call.comm == std::nullopt);
    CHECK(call.exe == std::nullopt);
    CHECK(call.key == std::nullopt);
    CHECK(call.user == std::nullopt);
    call = syscall_of("arch=c000003e syscall=59 success=no exit=-2 auid=-1 ses=-1 pid=8", keep);
    CHECK(call.success == false);
    CHECK(call.exit == -2);
    CHECK(call.auid == std::nullopt); // auditd before 2.4 printed it so
    CHECK(call.session == std::nullopt);
}

TEST_CASE("values in quotes are the same values") { // a writer of JSON turned into text again
    std::unique_ptr<Kept> keep;
    const auto call = syscall_of(R"(arch="c000003e" syscall="59" success="yes" exit="0" a0="1f" ppid="7" pid="8" )"
                                 R"(auid="1000" uid="33" tty="pts0" ses="3" comm="lua" exe="/usr/bin/lua" key="k")",
                                 keep);
    CHECK(call.call == Call::execve);
    CHECK(call.success == true);
    CHECK(call.a[0] == 0x1f);
    CHECK(call.pid == 8U);
    CHECK(call.auid == 1000U);
    CHECK(path_of(R"(item="1" name="/x" inode="7" dev="00:2f" mode="0100644" nametype="CREATE")") ==
          "1 /x 7@2f 100644 CREATE");
}

TEST_CASE("several keys of a rule are one value, joined by 0x01") {
    std::unique_ptr<Kept> keep;
    CHECK(syscall_of("pid=8 key=6C6F67696E730161756469742D77", keep).key == "logins\x01"
                                                                            "audit-w"s);
    CHECK(audit::encoding_of(1300, "key") == audit::Encoding::key);
}

TEST_CASE("socketcall is the call that it makes, and mmap of a struct has no arguments to show") {
    std::unique_ptr<Kept> keep;
    CHECK(syscall_of("arch=40000003 syscall=102 a0=3 pid=8", keep).call == Call::connect);
    CHECK(syscall_of("arch=40000003 syscall=socketcall a0=b pid=8", keep).call == Call::sendto);
    CHECK(syscall_of("arch=ffff syscall=102 a0=3 pid=8\x1dSYSCALL=socketcall", keep).call == Call::connect);
    CHECK(syscall_of("arch=40000003 syscall=102 a0=63 pid=8", keep).call == Call::socketcall);
    CHECK(syscall_of("arch=c000003e syscall=102 a0=3 pid=8", keep).call == Call::other); // getuid
    CHECK(syscall_of("arch=40000003 syscall=90 a0=ff a1=1 a2=7 a3=22 pid=8", keep).a[2] == 0);
    CHECK(syscall_of("arch=i386 syscall=mmap a0=ff a1=1 a2=7 a3=22 pid=8", keep).a[2] == 0);
    CHECK(syscall_of("arch=40000003 syscall=192 a0=ff a1=1 a2=7 a3=22 pid=8", keep).a[2] == 7);
}

TEST_CASE("a call is told by number and architecture, by its name, or by what auditd added") {
    std::unique_ptr<Kept> keep;
    CHECK(syscall_of("arch=40000003 syscall=59 pid=8", keep).call == Call::other);
    CHECK(syscall_of("arch=40000003 syscall=11 pid=8", keep).call == Call::execve);
    CHECK(syscall_of("arch=c00000b7 syscall=59 pid=8", keep).call == Call::other);
    CHECK(syscall_of("arch=x86_64 syscall=execve pid=8", keep).call == Call::execve);
    CHECK(syscall_of("arch=x86_64 syscall=59 pid=8", keep).call == Call::execve);
    CHECK(syscall_of("arch=ffff syscall=execve pid=8", keep).call == Call::execve);
    CHECK(syscall_of("arch=ffff syscall=59 pid=8\x1dSYSCALL=execve", keep).call == Call::execve);
    CHECK(syscall_of("arch=ffff syscall=59 pid=8", keep).call == Call::other);
    CHECK(syscall_of("arch=c000003e pid=8", keep).call == Call::other);
    CHECK(syscall_of("arch=c000003e syscall=999 pid=8\x1dSYSCALL=fchmodat2", keep).call == Call::fchmodat2);
    CHECK(syscall_of("arch=x86_64 syscall=fchmodat2 pid=8", keep).call == Call::fchmodat2);
    CHECK(syscall_of("arch=x86_64 syscall=unknown-syscall(452) pid=8", keep).call == Call::fchmodat2);
    CHECK(syscall_of("arch=c000003e syscall=452 pid=8\x1dSYSCALL=unknown-syscall(452)", keep).call == Call::fchmodat2);
    CHECK(syscall_of("arch=c000003e syscall=59 pid=8\x1dSYSCALL=fchmodat2", keep).call == Call::execve);
    CHECK(syscall_of("arch=c000003e syscall=1073742344 pid=8", keep).call == Call::execve); // x32
    CHECK(syscall_of("arch=c000003e syscall=18446744073709551675 pid=8", keep).call == Call::other);
    CHECK(syscall_of("arch=c000003e syscall=-59 pid=8", keep).call == Call::other);
    // An architecture that nobody knows: the EXECVE record tells.
    const auto unknown = event_of(line("SYSCALL", stamp, "arch=ffff syscall=59 success=yes exit=0 items=0 pid=8") +
                                  line("EXECVE", stamp, "argc=1 a0=\"lua\""));
    CHECK(unknown->typed().is_exec());
}

TEST_CASE("an exec is told by its call, whatever other records it has") {
    const auto bare = event_of(line("SYSCALL", stamp, "arch=c000003e syscall=59 success=no exit=-2 items=1 pid=8"));
    CHECK(bare->typed().is_exec());
    CHECK(!bare->typed().has_execve);
    CHECK(event_of(line("SYSCALL", stamp, "arch=c000003e syscall=322 success=yes exit=0 items=0 pid=8"))
              ->typed()
              .is_exec());
    CHECK(!event_of(line("SYSCALL", stamp, "arch=c000003e syscall=57 success=yes exit=9 items=0 pid=8"))
               ->typed()
               .is_exec());
}

TEST_CASE("a record whose end was cut off gives what stands before the cut") {
    std::unique_ptr<Kept> keep;
    const auto call =
        syscall_of(R"(arch=c000003e syscall=59 success=yes exit=0 pid=8 comm="lua" exe="/usr/bin/lua" key=(nu)", keep);
    CHECK(call.exe == "/usr/bin/lua");
    CHECK(call.call == Call::execve);
    CHECK(syscall_of(R"(arch=c000003e syscall=59 success=yes exit=0 pid=8 comm="lua" exe="/usr/bi)", keep).exe ==
          "/usr/bi");
    CHECK(keep->typed().partial);
}

TEST_CASE("a0 to a3 of a system call are numbers") {
    std::unique_ptr<Kept> keep;
    const auto call = syscall_of("a0=55df330a3c10 a1=ffffffffffffff9c a2=zz a3=ffffffffffffffffff pid=8", keep);
    CHECK(call.a[0] == 0x55df330a3c10);
    CHECK(call.a[1] == static_cast<std::uint64_t>(-100));
    CHECK(call.a[2] == 0);
    CHECK(call.a[3] == 0);
}

TEST_CASE("an executable's name in hex is its name, whatever stands behind it") {
    std::unique_ptr<Kept> keep;
    CHECK(syscall_of("pid=8 exe=2F6D656D66643A78202864656C6574656429 key=(null)", keep).exe == "/memfd:x (deleted)");
    CHECK(syscall_of("pid=8 exe=2F7573722F62696E2F707974686F6E322E373B3538643163636662202864656C6574656429 key=(null)",
                     keep)
              .exe == "/usr/bin/python2.7;58d1ccfb (deleted)");
}

TEST_CASE("names and directories are decoded, and keep their bytes") {
    const auto made = event_of(line("CWD", stamp, "cwd=2F746D702F6120622063") +
                               line("PATH", stamp, "item=0 name=66696C65C3B1 inode=7 dev=fe:00 nametype=NORMAL"));
    CHECK(made->typed().cwd == "/tmp/a b c");
    CHECK(paths_text(made->typed()) == "0 file\xc3\xb1 7@fe00000000 - NORMAL");
}

TEST_CASE("path items are put in order, and hold what their record says") {
    CHECK(path_of("item=0 name=\"/tmp/a\" inode=7 dev=fd:1f mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL "
                  "cap_fp=0") == "0 /tmp/a 7@fd0000001f 100755 NORMAL");
    CHECK(path_of("item=0 name=\"/tmp/a\" objtype=DELETE inode=7") == "0 /tmp/a -@- - DELETE"); // kernels 3.0 to 3.10
    CHECK(path_of("item=0 name=\"/tmp/a\" nametype=UNKNOWN") == "0 /tmp/a -@- - UNKNOWN");
    CHECK(path_of("name=\"/tmp/a\" inode=-1 dev=fd mode=0100888 nametype=OTHER") == "-1 /tmp/a -@- - UNKNOWN");
    const auto swapped = event_of(line("PATH", stamp, "item=1 name=\"b\" nametype=CREATE") +
                                  line("PATH", stamp, "item=0 name=\"a/\" nametype=PARENT"));
    CHECK(paths_text(swapped->typed()) == "0 a/ -@- - PARENT | 1 b -@- - CREATE");
}

TEST_CASE("(null) is no name") {
    CHECK(path_of("item=1 name=(null) inode=9 dev=fe:00 mode=0100644 nametype=NORMAL") ==
          "1 - 9@fe00000000 100644 NORMAL");
    CHECK(path_of("item=1 name=\"(null)\" inode=9 dev=fe:00 mode=0100644 nametype=NORMAL") ==
          "1 (null) 9@fe00000000 100644 NORMAL"); // a file may be called so
}

TEST_CASE("a rename's four path items are kept, each with its kind") {
    const auto made =
        event_of(line("SYSCALL", stamp,
                      "arch=c000003e syscall=316 success=yes exit=0 a0=ffffff9c a1=1 a2=ffffff9c a3=2 items=4 pid=8") +
                 line("PATH", stamp, "item=0 name=\"/tmp/\" inode=2 dev=fe:00 mode=041777 nametype=PARENT") +
                 line("PATH", stamp, "item=1 name=\"/tmp/\" inode=2 dev=fe:00 mode=041777 nametype=PARENT") +
                 line("PATH", stamp, "item=2 name=\"/tmp/x\" inode=9 dev=fe:00 mode=0100644 nametype=DELETE") +
                 line("PATH", stamp, "item=3 name=\"/tmp/x.lua\" inode=9 dev=fe:00 mode=0100644 nametype=CREATE"));
    CHECK(made->typed().syscall.call == Call::renameat2);
    CHECK(paths_text(made->typed()) == "0 /tmp/ 2@fe00000000 41777 PARENT | 1 /tmp/ 2@fe00000000 41777 PARENT | "
                                       "2 /tmp/x 9@fe00000000 100644 DELETE | 3 /tmp/x.lua 9@fe00000000 100644 CREATE");
    CHECK(!made->typed().partial);
}

TEST_CASE("an event that lacks announced path items, or a call, is partial") {
    const auto path = line("PATH", stamp, "item=0 name=\"/a\"");
    const auto call = line("SYSCALL", stamp, "arch=c000003e syscall=59 items=2 pid=8");
    CHECK(event_of(call + path)->typed().partial);
    CHECK(!event_of(call + path + line("PATH", stamp, "item=1 name=\"/b\""))->typed().partial);
    CHECK(event_of(line("EXECVE", stamp, "argc=1 a0=\"lua\""))->typed().partial);
}

TEST_CASE("a peer's address is read from its bytes, of either byte order") {
    const auto peer = [](const std::string& saddr) {
        return event_of(line("SOCKADDR", stamp, "saddr=" + saddr))->typed().peer.value_or("-");
    };
    CHECK(peer("02000050C00002010000000000000000") == "192.0.2.1:80");
    CHECK(peer("00020050C00002010000000000000000") == "192.0.2.1:80");
    CHECK(peer("0A0001BB0000000020010DB800000000000000000000000100000000") == "[2001:db8::1]:443");
    CHECK(peer("01002F746D702F78") == "-");
    CHECK(peer("02000050C0") == "-");
    CHECK(peer("0A0001BB00000000") == "-");
    CHECK(peer("(null)") == "-");
    CHECK(peer("x") == "-");
}

TEST_CASE("openat2's flags come in a record of their own") {
    const auto made = event_of(line("SYSCALL", stamp, "arch=c000003e syscall=437 success=yes exit=3 items=0 pid=8") +
                               "type=UNKNOWN[1337] msg=audit(" + stamp + "): oflag=0101 mode=0644 resolve=0x0\n");
    CHECK(made->typed().open_flags == 0101U);
    CHECK(made->typed().syscall.call == Call::openat2);
}

TEST_CASE("what tells of lost records is noticed") {
    CHECK(event_of(line("KERNEL", stamp, "audit_lost=494217 audit_rate_limit=0 audit_backlog_limit=64"))->typed().lost);
    CHECK(event_of(line("KERNEL_OTHER", stamp, "backlog limit exceeded"))->typed().lost);
    CHECK(event_of(line("DAEMON_ERR", stamp, "op=queue overflow res=failed"))->typed().lost);
    CHECK(!event_of(line("DAEMON_ERR", stamp, "op=other res=failed"))->typed().lost);
    CHECK(!event_of(syscall_line(stamp, 59, "success=yes exit=0", "comm=\"audit_lost=1\" exe=\"/x\""))->typed().lost);
    CHECK(!event_of(line("PATH", stamp, "item=0 name=\"backlog limit exceeded\""))->typed().lost);
}

TEST_CASE("a boot and a crash are told") {
    CHECK(event_of(line("SYSTEM_BOOT", stamp, "pid=1 uid=0 msg=' comm=\"systemd-update-utmp\" res=success'"))
              ->typed()
              .boot);
    CHECK(event_of(line("ANOM_ABEND", stamp,
                        "auid=1000 uid=33 gid=33 ses=3 pid=99 comm=\"lua\" exe=\"/usr/bin/lua\" sig=11 res=1"))
              ->typed()
              .abend_pid == 99U);
}

TEST_CASE("records that are not of a system call say who and what") {
    const auto message = [](const char* type, std::string_view body) {
        audit::Record record;
        record.type = audit::record_type_from_name(type);
        record.body = body;
        return audit::message_of(record);
    };
    const auto login = message("USER_LOGIN", "pid=9 uid=0 auid=1000 ses=7 msg='op=login id=1000 exe=\"/usr/sbin/sshd\" "
                                             "hostname=h addr=203.0.113.5 terminal=ssh res=success'");
    REQUIRE(login);
    CHECK(login->kind == audit::Message::Kind::login);
    CHECK(login->session == 7U);
    CHECK(login->auid == 1000U);
    CHECK(login->address == "203.0.113.5");
    CHECK(login->terminal == "ssh");
    CHECK(login->exe == "/usr/sbin/sshd");
    CHECK(login->result == "success");

    // What user space writes cannot take the place of what the kernel says; hex is decoded; ? is nothing.
    const auto forged =
        message("USER_START", "pid=9 uid=0 auid=1000 ses=7 msg='pid=1 ses=1 auid=0 acct=6A6F2078 addr=? res=success'");
    REQUIRE(forged);
    CHECK(forged->pid == 9U);
    CHECK(forged->session == 7U);
    CHECK(forged->account == "jo x");
    CHECK(!forged->address);

    const auto unset =
        message("SERVICE_START", "pid=1 uid=0 auid=4294967295 ses=4294967295 msg='unit=cron comm=\"systemd\"");
    REQUIRE(unset); // cut off
    CHECK(unset->unit == "cron");
    CHECK(!unset->session);
    CHECK(message("SECCOMP", "auid=1 pid=20 comm=\"x\" sig=31")->pid == 20U);
    CHECK(!message("SYSCALL", "pid=20"));
    CHECK(message("AVC", "")); // nothing in it
}

} // namespace typed_test
