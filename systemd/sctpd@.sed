# SPDX-License-Identifier: BSD-2-Clause
# Makes sctpd@.service, the sctpd for one network namespace, from sctpd.service:
# the two have the same sandbox. systemd opens the namespace; the daemon needs
# no capability for it.
s/^Description=.*/& for the network namespace %i/
s/^Requires=sctpd\.socket$/Requires=sctpd@%i.socket\
AssertPathExists=\/run\/netns\/%i/
s/^Type=notify$/NetworkNamespacePath=\/run\/netns\/%i\
# Options of one instance, such as -c FILE: set them with "systemctl edit".\
Environment=OPTIONS=\
&/
s/^ExecStart=.*/& $OPTIONS/
s/^\(ExecReload=.*sctpd\) -t$/\1 $OPTIONS -t/
s/^\(RuntimeDirectory\|LogsDirectory\)=sctpd$/&-%i/
s/^Also=sctpd\.socket$/Also=sctpd@%i.socket/
