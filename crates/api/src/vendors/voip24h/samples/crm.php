<?php
// What a CRM puts on its own server: it says whom a caller reaches, and hears what happens to calls.
// Put a secret of your own into the URLs that the switchboard is given, and check it here.
if (!isset($_GET['secret_key']) || !hash_equals('YOUR_OWN_SECRET', $_GET['secret_key'])) {
    http_response_code(403);
    exit;
}

// .../crm.php?action=GetRouting&secret_key=... : phone is 84900000001, did is the number that was called.
if (isset($_GET['action']) && $_GET['action'] === 'GetRouting') {
    $agents = ['84900000001' => '101'];
    // The number of an extension or a group. Nothing, or anything else, means the number's default route.
    echo isset($agents[$_GET['phone']]) ? $agents[$_GET['phone']] : '';
    exit;
}

// .../crm.php?secret_key=... as a hook: one event a request, in the order in which they happened.
$event = json_decode(file_get_contents('php://input'), true);
if ($event['state'] === 'Cdr') {
    error_log("call {$event['callid']} with {$event['phone']}: {$event['cdr']['disposition']}, {$event['cdr']['billsec']} s");
} else {
    error_log("{$event['extend']} {$event['state']} {$event['phone']} in call {$event['callid']}");
}
// Anything from 200 to 299 says that it arrived; otherwise it comes again.
echo 'ok';
