#!/usr/bin/perl
# Threads an mbox with Mail::Thread: perl mail_thread.pl FILE.  Bodies are not kept.
use strict;
use warnings;
no warnings 'recursion';
use Email::Simple;
use Mail::Thread;

my ($path) = @ARGV;
open(my $file, '<:raw', $path) or die "$path: $!";
my (@messages, $head);
my ($in_head, $after_empty) = (0, 1);

sub keep {
    my $message = Email::Simple->new("$head\n");
    push @messages, $message if defined $message->header('Message-ID');
    undef $head;
}

while (my $line = <$file>) {
    if ($after_empty && $line =~ /^From /) {
        keep() if defined $head;
        ($head, $in_head, $after_empty) = ('', 1, 0);
        next;
    }
    $after_empty = $line =~ /^\r?$/;
    if ($in_head) {
        if ($after_empty) { $in_head = 0 } else { $head .= $line }
    }
}
keep() if defined $head;

$Mail::Thread::nosubject = 1;
my $threader = Mail::Thread->new(@messages);
$threader->thread;
printf "%d messages in %d threads\n", scalar @messages, scalar $threader->rootset;
