// Forks, execs and exits for the process table's tests, event by event.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "luatrail/host/process_table.hpp"

namespace process_log {

using namespace luatrail;
using audit::TypedEvent;
using host::Born;
using host::Process;
using host::ProcessRef;
using host::ProcessTable;

// A log of one node: each call is one event, a millisecond and a serial after the one before.
struct Log {
    // At most so many images and bytes are kept.
    explicit Log(std::size_t images = 1000, std::size_t bytes = SIZE_MAX)
        : most(images), budget(bytes), table(budget) {}

    std::size_t most;
    base::Budget budget;
    ProcessTable table;
    std::int64_t ms = 1'000'000;
    std::uint64_t serial = 100;
    std::optional<std::uint32_t> session = 3;

    TypedEvent at(std::uint32_t pid, std::optional<std::uint32_t> ppid, std::string_view exe) {
        TypedEvent event;
        event.id = {++ms, ++serial};
        event.has_syscall = true;
        event.syscall.pid = pid;
        event.syscall.ppid = ppid;
        event.syscall.uid = event.syscall.euid = event.syscall.auid = 1000;
        event.syscall.session = session;
        event.syscall.exe = exe;
        event.syscall.comm = exe.substr(exe.rfind('/') + 1);
        return event;
    }
    ProcessRef exec(TypedEvent event, std::vector<std::string> argv) {
        event.execve.argv = std::move(argv);
        return settled(table.execed(event));
    }
    ProcessRef settled(ProcessRef image) {
        while ((table.size() > most || !budget.within()) && table.give_way()) {
        }
        return image;
    }
    ProcessRef see(std::uint32_t pid, std::uint32_t ppid, std::string_view exe) {
        return settled(table.sighted(at(pid, ppid, exe)));
    }
    ProcessRef fork(std::uint32_t pid, std::uint32_t ppid, std::string_view exe, std::uint32_t child) {
        return settled(table.forked(at(pid, ppid, exe), child));
    }
    ProcessRef exec(std::uint32_t pid, std::uint32_t ppid, std::string_view exe) {
        return exec(at(pid, ppid, exe), {std::string(exe)});
    }
    void exit(std::uint32_t pid, std::uint32_t ppid, std::string_view exe) { table.exited(at(pid, ppid, exe)); }

    // "300:/bin/lua 200:/bin/sh": an image and its ancestors, nearest first.
    std::string line(ProcessRef ref) const {
        const Process* process = table.find(ref);
        if (process == nullptr) {
            return "gone";
        }
        bool cut = false;
        std::vector<const Process*> line = table.ancestors(ref, 32, &cut);
        line.insert(line.begin(), process);
        std::string text;
        for (const Process* image : line) {
            text += (text.empty() ? "" : " ") + std::to_string(image->pid) + ":" + image->exe.value_or("?");
        }
        return text + (cut ? " cut" : "");
    }
    std::string line(std::uint32_t pid) const { return line(table.current(pid)); }
};

} // namespace process_log
