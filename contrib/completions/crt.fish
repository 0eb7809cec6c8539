# Made by contrib/completions/generate from the tables of src/; see there
# fish completion for crt(1)

set -g __crt_commands run create exec start state kill delete pause resume ps events update mounts list spec features check explain help

function __crt_commands
    printf '%s\n' $__crt_commands
end

function __crt_ids
    set -l words (commandline -opc)
    set -l root (string replace -rf -- '^--root=' '' $words)
    set -l at (contains -i -- --root $words); and set root $words[(math $at + 1)]
    set -q root[1]; and set root --root $root[1]
    crt $root list --quiet 2>/dev/null
end

function __crt_signals
    printf 'SIG%s\n' HUP INT QUIT KILL USR1 USR2 TERM CONT STOP
end

# Options that take a value, so that it is not taken for a word
set -g __crt_valued_ --root --log --log-format --log-level --cgroup-manager --rootless
set -g __crt_valued_run --bundle -b --config -f --pid-file --console-socket --pidfd-socket --preserve-fds
set -g __crt_valued_create --bundle -b --config -f --pid-file --console-socket --pidfd-socket --preserve-fds
set -g __crt_valued_exec --cwd --env -e --env-file --user -u --additional-gids -g --process -p --pid-file --console-socket --pidfd-socket --cap -c --apparmor --process-label --preserve-fds --cgroup
set -g __crt_valued_start
set -g __crt_valued_state
set -g __crt_valued_kill
set -g __crt_valued_delete
set -g __crt_valued_pause
set -g __crt_valued_resume
set -g __crt_valued_ps --format -f
set -g __crt_valued_events --interval
set -g __crt_valued_update --resources -r --memory --memory-reservation --memory-swap --pids-limit --cpu-quota --cpu-period --cpu-burst --cpu-share --cpu-idle --cpuset-cpus --cpuset-mems --blkio-weight --l3-cache-schema --mem-bw-schema --timeout
set -g __crt_valued_mounts
set -g __crt_valued_list --format -f
set -g __crt_valued_spec --bundle -b --file -f
set -g __crt_valued_features
set -g __crt_valued_check --bundle -b --config --format -f
set -g __crt_valued_explain --bundle -b --config --format -f
set -g __crt_valued_help

# __crt_at COMMAND [NUMBER]: it was typed, and as many words after it
function __crt_at -a command number
    set -l words (commandline -opc)
    set -l valued $__crt_valued_
    set -l seen ''
    set -l count 0
    set -l skip 0
    for word in $words[2..]
        if test $skip = 1
            set skip 0
        else if string match -q -- '-*' $word
            contains -- $word $valued; and set skip 1
        else if test -z "$seen"
            set seen $word
            set -l name __crt_valued_$word
            set valued $$name
        else
            set count (math $count + 1)
        end
    end
    test "$seen" = "$command"; and test -z "$number" -o "$number" = $count
end

complete -c crt -f
complete -c crt -n "__crt_at ''" -l root -x -a '(__fish_complete_directories)' -d 'where the state of containers is kept (default: /run/crt)'
complete -c crt -n "__crt_at ''" -l log -r -F -d 'write messages to FILE, too; or to syslog:NAME, journald:NAME'
complete -c crt -n "__crt_at ''" -l log-format -x -a 'text json' -d 'of that file: text (default) or json'
complete -c crt -n "__crt_at ''" -l log-level -x -a 'error warning info debug' -d 'error, warning (default), info or debug'
complete -c crt -n "__crt_at ''" -l debug -d 'say what is being done: --log-level debug'
complete -c crt -n "__crt_at ''" -l systemd-cgroup -d '--cgroup-manager systemd'
complete -c crt -n "__crt_at ''" -l cgroup-manager -x -a 'cgroupfs systemd self none disabled' -d 'who makes a container\'s cgroup: cgroupfs (default), systemd, self or none'
complete -c crt -n "__crt_at ''" -l rootless -x -a 'auto true false' -d 'may a container be without a cgroup: auto (default: without privileges it may), true or false'
complete -c crt -n "__crt_at ''" -l version -s v -d 'print the version'
complete -c crt -n "__crt_at ''" -l help -s h -d 'show this text, or that of a command'
complete -c crt -n "__crt_at ''" -a run -d 'create and start a container, and wait for its end'
complete -c crt -n '__crt_at run' -l bundle -s b -x -a '(__fish_complete_directories)' -d 'the bundle (default: the current directory)'
complete -c crt -n '__crt_at run' -l config -s f -r -F -d 'read this instead of the bundle\'s config.json'
complete -c crt -n '__crt_at run' -l pid-file -r -F -d 'write the pid of the container\'s init to FILE'
complete -c crt -n '__crt_at run' -l console-socket -r -F -d 'the AF_UNIX socket that gets the terminal\'s fd'
complete -c crt -n '__crt_at run' -l pidfd-socket -r -F -d 'the AF_UNIX socket that gets a pidfd of the container\'s init'
complete -c crt -n '__crt_at run' -l preserve-fds -x -d 'pass on fds 3 to 2+N'
complete -c crt -n '__crt_at run' -l no-pivot -d 'move the root instead of pivot_root (for a ramdisk)'
complete -c crt -n '__crt_at run' -l no-new-keyring -d 'keep the caller\'s session keyring'
complete -c crt -n '__crt_at run' -l detach -s d -d 'return once the program runs'
complete -c crt -n '__crt_at run' -l keep -d 'do not delete the container when it has ended'
complete -c crt -n '__crt_at run' -l no-subreaper -d 'do not reap the orphans of hooks and containers'
complete -c crt -n '__crt_at run' -l timing -d 'say on stderr where the time went'
complete -c crt -n '__crt_at run' -l help -s h -d 'show this text'
complete -c crt -n '__crt_at run 0' -a '(__fish_complete_directories)'
complete -c crt -n "__crt_at ''" -a create -d 'create a container that waits for start'
complete -c crt -n '__crt_at create' -l bundle -s b -x -a '(__fish_complete_directories)' -d 'the bundle (default: the current directory)'
complete -c crt -n '__crt_at create' -l config -s f -r -F -d 'read this instead of the bundle\'s config.json'
complete -c crt -n '__crt_at create' -l pid-file -r -F -d 'write the pid of the container\'s init to FILE'
complete -c crt -n '__crt_at create' -l console-socket -r -F -d 'the AF_UNIX socket that gets the terminal\'s fd'
complete -c crt -n '__crt_at create' -l pidfd-socket -r -F -d 'the AF_UNIX socket that gets a pidfd of the container\'s init'
complete -c crt -n '__crt_at create' -l preserve-fds -x -d 'pass on fds 3 to 2+N'
complete -c crt -n '__crt_at create' -l no-pivot -d 'move the root instead of pivot_root (for a ramdisk)'
complete -c crt -n '__crt_at create' -l no-new-keyring -d 'keep the caller\'s session keyring'
complete -c crt -n '__crt_at create' -l timing -d 'say on stderr where the time went'
complete -c crt -n '__crt_at create' -l help -s h -d 'show this text'
complete -c crt -n "__crt_at ''" -a exec -d 'run another process in a container'
complete -c crt -n '__crt_at exec' -l cwd -x -d 'the working directory in the container'
complete -c crt -n '__crt_at exec' -l env -s e -x -d 'an environment variable; may be given again'
complete -c crt -n '__crt_at exec' -l env-file -r -F -d 'environment variables, a line each'
complete -c crt -n '__crt_at exec' -l tty -s t -d 'give it a terminal'
complete -c crt -n '__crt_at exec' -l user -s u -x -d 'numbers, or names of the container\'s /etc/passwd'
complete -c crt -n '__crt_at exec' -l additional-gids -s g -x -d 'a further group; may be given again'
complete -c crt -n '__crt_at exec' -l process -s p -r -F -d 'read the OCI process object from FILE'
complete -c crt -n '__crt_at exec' -l detach -s d -d 'return once the program runs'
complete -c crt -n '__crt_at exec' -l pid-file -r -F -d 'write the pid of the process to FILE'
complete -c crt -n '__crt_at exec' -l console-socket -r -F -d 'the AF_UNIX socket that gets the terminal\'s fd'
complete -c crt -n '__crt_at exec' -l pidfd-socket -r -F -d 'the AF_UNIX socket that gets a pidfd of the process'
complete -c crt -n '__crt_at exec' -l cap -s c -x -d 'add a capability; may be given again'
complete -c crt -n '__crt_at exec' -l no-new-privs -d 'forbid the process to gain privileges'
complete -c crt -n '__crt_at exec' -l apparmor -x -d 'the AppArmor profile of the process'
complete -c crt -n '__crt_at exec' -l process-label -x -d 'the SELinux label of the process'
complete -c crt -n '__crt_at exec' -l preserve-fds -x -d 'pass on fds 3 to 2+N'
complete -c crt -n '__crt_at exec' -l cgroup -x -d 'a cgroup below the container\'s'
complete -c crt -n '__crt_at exec' -l ignore-paused -d 'exec in a paused container, too'
complete -c crt -n '__crt_at exec' -l timing -d 'say on stderr where the time went'
complete -c crt -n '__crt_at exec' -l help -s h -d 'show this text'
complete -c crt -n '__crt_at exec 0' -a '(__crt_ids)'
complete -c crt -n "__crt_at ''" -a start -d 'run the program of a created container'
complete -c crt -n '__crt_at start' -l help -s h -d 'show this text'
complete -c crt -n '__crt_at start 0' -a '(__crt_ids)'
complete -c crt -n "__crt_at ''" -a state -d 'show the state of a container as JSON'
complete -c crt -n '__crt_at state' -l help -s h -d 'show this text'
complete -c crt -n '__crt_at state 0' -a '(__crt_ids)'
complete -c crt -n "__crt_at ''" -a kill -d 'send a signal to a container\'s init'
complete -c crt -n '__crt_at kill' -l all -s a -d 'to every process of the container'
complete -c crt -n '__crt_at kill' -l regex -s r -d 'to all whose ids match: ID is an extended regular expression'
complete -c crt -n '__crt_at kill' -l help -s h -d 'show this text'
complete -c crt -n '__crt_at kill 0' -a '(__crt_ids)'
complete -c crt -n '__crt_at kill 1' -a '(__crt_signals)'
complete -c crt -n "__crt_at ''" -a delete -d 'remove what is left of a stopped container'
complete -c crt -n '__crt_at delete' -l force -s f -d 'kill it first, and do not mind if it is gone'
complete -c crt -n '__crt_at delete' -l regex -s r -d 'to all whose ids match: ID is an extended regular expression'
complete -c crt -n '__crt_at delete' -l help -s h -d 'show this text'
complete -c crt -n '__crt_at delete 0' -a '(__crt_ids)'
complete -c crt -n "__crt_at ''" -a pause -d 'stop all processes of a container where they are'
complete -c crt -n '__crt_at pause' -l help -s h -d 'show this text'
complete -c crt -n '__crt_at pause 0' -a '(__crt_ids)'
complete -c crt -n "__crt_at ''" -a resume -d 'let the processes of a paused container go on'
complete -c crt -n '__crt_at resume' -l help -s h -d 'show this text'
complete -c crt -n '__crt_at resume 0' -a '(__crt_ids)'
complete -c crt -n "__crt_at ''" -a ps -d 'show the processes of a container'
complete -c crt -n '__crt_at ps' -l format -s f -x -a 'table json' -d 'table (default), or json: an array of pids'
complete -c crt -n '__crt_at ps' -l help -s h -d 'show this text'
complete -c crt -n '__crt_at ps 0' -a '(__crt_ids)'
complete -c crt -n "__crt_at ''" -a events -d 'show what a container uses, and when it runs out of memory'
complete -c crt -n '__crt_at events' -l interval -x -d 'between two lines of statistics (default: 5s)'
complete -c crt -n '__crt_at events' -l stats -d 'statistics once, and no more'
complete -c crt -n '__crt_at events' -l help -s h -d 'show this text'
complete -c crt -n '__crt_at events 0' -a '(__crt_ids)'
complete -c crt -n "__crt_at ''" -a update -d 'change the limits of a running container'
complete -c crt -n '__crt_at update' -l resources -s r -r -F -d 'all limits as a JSON object of the specification; - is stdin'
complete -c crt -n '__crt_at update' -l memory -x -d 'memory; 512M and the like will do, -1 is no limit'
complete -c crt -n '__crt_at update' -l memory-reservation -x -d 'memory that is left alone when others are short'
complete -c crt -n '__crt_at update' -l memory-swap -x -d 'memory and swap together'
complete -c crt -n '__crt_at update' -l pids-limit -x -d 'tasks; -1 is no limit'
complete -c crt -n '__crt_at update' -l cpu-quota -x -d 'time on all CPUs in each period; -1 is no limit'
complete -c crt -n '__crt_at update' -l cpu-period -x -d 'that period'
complete -c crt -n '__crt_at update' -l cpu-burst -x -d 'how much unused quota may be saved up'
complete -c crt -n '__crt_at update' -l cpu-share -x -d 'weight among its siblings, 2 to 262144'
complete -c crt -n '__crt_at update' -l cpu-idle -x -d '1: run only when nobody else wants to'
complete -c crt -n '__crt_at update' -l cpuset-cpus -x -d 'CPUs, as "0-3,7"'
complete -c crt -n '__crt_at update' -l cpuset-mems -x -d 'memory nodes'
complete -c crt -n '__crt_at update' -l blkio-weight -x -d 'weight of its disk operations, 10 to 1000'
complete -c crt -n '__crt_at update' -l l3-cache-schema -x -d 'share of caches (Intel RDT), as "L3:0=ff"'
complete -c crt -n '__crt_at update' -l mem-bw-schema -x -d 'share of memory bandwidth (Intel RDT), as "MB:0=50"'
complete -c crt -n '__crt_at update' -l timeout -x -d 'how long memory may take to get below a lower limit (default: 10s)'
complete -c crt -n '__crt_at update' -l help -s h -d 'show this text'
complete -c crt -n '__crt_at update 0' -a '(__crt_ids)'
complete -c crt -n "__crt_at ''" -a mounts -d 'add mounts to a running container, or remove them'
complete -c crt -n '__crt_at mounts' -l help -s h -d 'show this text'
complete -c crt -n '__crt_at mounts 0' -a 'add remove'
complete -c crt -n '__crt_at mounts 1' -a '(__crt_ids)'
complete -c crt -n '__crt_at mounts 2' -F
complete -c crt -n "__crt_at ''" -a list -d 'show all containers'
complete -c crt -n '__crt_at list' -l format -s f -x -a 'table json' -d 'table (default) or json'
complete -c crt -n '__crt_at list' -l quiet -s q -d 'ids only'
complete -c crt -n '__crt_at list' -l help -s h -d 'show this text'
complete -c crt -n "__crt_at ''" -a spec -d 'write a config.json to start from'
complete -c crt -n '__crt_at spec' -l bundle -s b -x -a '(__fish_complete_directories)' -d 'write it there (default: the current directory)'
complete -c crt -n '__crt_at spec' -l file -s f -r -F -d 'what to call it (default: config.json)'
complete -c crt -n '__crt_at spec' -l rootless -d 'for a container without root\'s privileges'
complete -c crt -n '__crt_at spec' -l help -s h -d 'show this text'
complete -c crt -n "__crt_at ''" -a features -d 'show what this runtime can do as JSON'
complete -c crt -n '__crt_at features' -l help -s h -d 'show this text'
complete -c crt -n "__crt_at ''" -a check -d 'find all problems of a bundle'
complete -c crt -n '__crt_at check' -l bundle -s b -x -a '(__fish_complete_directories)' -d 'the bundle (default: the current directory)'
complete -c crt -n '__crt_at check' -l config -r -F -d 'read this instead of the bundle\'s config.json'
complete -c crt -n '__crt_at check' -l format -s f -x -a 'text json' -d 'text (default) or json'
complete -c crt -n '__crt_at check' -l help -s h -d 'show this text'
complete -c crt -n "__crt_at ''" -a explain -d 'show what would be done to create a container'
complete -c crt -n '__crt_at explain' -l bundle -s b -x -a '(__fish_complete_directories)' -d 'the bundle (default: the current directory)'
complete -c crt -n '__crt_at explain' -l config -r -F -d 'read this instead of the bundle\'s config.json'
complete -c crt -n '__crt_at explain' -l format -s f -x -a 'text json' -d 'text (default) or json'
complete -c crt -n '__crt_at explain' -l help -s h -d 'show this text'
complete -c crt -n "__crt_at ''" -a help -d 'say more about a command'
complete -c crt -n '__crt_at help' -l help -s h -d 'show this text'
complete -c crt -n '__crt_at help 0' -a '(__crt_commands)'
